#include "core/secrets/redacted_text.h"

#include <gtest/gtest.h>

#include <string>

#include "core/secrets/redacted_json.h"
#include "core/secrets/secret_name.h"

namespace {

using namespace mfi::core;

std::string Repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(SecretName, IsReadWordByWord) {
  for (const char* name : {"password",
                           "Password",
                           "password2",
                           "userPassword",
                           "USER_PASSWORD",
                           "passwd",
                           "smtp.pwd",
                           "pass",
                           "pw",
                           "pin",
                           "secret",
                           "clientsecret",
                           "clientSecret",
                           "client_secret",
                           "secret_id",
                           "api.key",
                           "apiKey",
                           "APIKey",
                           "X-Api-Key",
                           "apikeys",
                           "privateKey",
                           "saml.signing.private.key",
                           "secretData",
                           "credentialData",
                           "code",
                           "user_code",
                           "userCode",
                           "usercode",
                           "recoveryAuthnCodes",
                           "code_verifier",
                           "otp",
                           "totp",
                           "totpSeed"}) {
    EXPECT_EQ(KindOfName(name), SecretKind::kWhole) << name;
  }
  for (const char* name : {"client.secret.rotated", "secret.key", "client_secret_jwt", "private_key_jwt", "accessKey",
                           "awsSecretAccessKey", "privateKeyPem", "passwordHash", "hmacKey", "signingKey"}) {
    EXPECT_EQ(KindOfName(name), SecretKind::kPart) << name;
  }
  for (const char* name :
       {"access_token", "registrationAccessToken", "idTokenHint", "bindCredential", "credentials", "use.refresh.tokens",
        "client_assertion", "Set-Cookie", "Authorization", "SAMLResponse", "saml.response", "jwt"}) {
    EXPECT_EQ(KindOfName(name), SecretKind::kToken) << name;
  }
  for (const char* name : {"",
                           ".",
                           "name",
                           "monkey",
                           "keycloak",
                           "keyAlias",
                           "publicKey",
                           "public.signing.key",
                           "kid",
                           "certificate",
                           "accessTokenLifespan",
                           "client.secret.creation.time",
                           "client.secret.rotated.expiration.time",
                           "client_secret_expires_at",
                           "passwordPolicy",
                           "otpPolicyDigits",
                           "webAuthnPolicyPasswordlessRpId",
                           "token_type",
                           "tokenUrl",
                           "refresh_token_id",
                           "age_of_refresh_token",
                           "requiredCredentials",
                           "credentialTypes",
                           "code_id",
                           "statusCode",
                           "code_challenge",
                           "secretary",
                           "tokenized",
                           "secretSize",
                           "refreshTokenMaxReuse",
                           "saml.assertion.lifespan",
                           "access.token.signed.response.alg",
                           "id.token.encrypted.response.enc"}) {
    EXPECT_EQ(KindOfName(name), SecretKind::kNone) << name;
  }
}

TEST(SecretName, SaysNotAllOfItsValue) {
  EXPECT_TRUE(IsSecretText(SecretKind::kWhole, "true"));
  EXPECT_FALSE(IsSecretText(SecretKind::kNone, "x"));
  EXPECT_TRUE(IsSecretText(SecretKind::kPart, "123"));
  EXPECT_FALSE(IsSecretText(SecretKind::kPart, "false"));
  EXPECT_FALSE(IsSecretText(SecretKind::kToken, "123"));
  EXPECT_TRUE(IsSecretText(SecretKind::kToken, "1234567890123"));
  EXPECT_FALSE(IsSecretText(SecretKind::kToken, ""));
  EXPECT_EQ(RedactedJson(R"({"password": 1, "secret.size.x": 1, "token": 1, "tokens": ["true"], "secret": true})"),
            R"({"password": "[redacted]", "secret.size.x": 1, "token": 1, "tokens": ["true"], "secret": true})");
  EXPECT_EQ(RedactedJson(R"({"password": null, "credentials": [], "secrets": {}, "token": {"a": 1}})"),
            R"({"password": null, "credentials": [], "secrets": "[redacted]", "token": "[redacted]"})");
}

TEST(RedactedText, LosesSecretsWhereverItEnds) {
  const std::string text =
      R"({"a": "kept", "b": "{\"client.secret.rotated\": \"xyzzy\"}", "c": [{"name": "api.key", "value": "xyzzy"}], )"
      R"("d": {"value": "y", "type": "password"}, "e": {"d": "xyzzy", "kty": "RSA"}, "password": "xyzzy"})";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string clean = RedactedText(text.substr(0, length));
    EXPECT_EQ(clean.find("xyzzy"), std::string::npos) << clean;
    EXPECT_EQ(clean.find("kept") != std::string::npos, length >= text.find("kept") + 4) << clean;
  }
  EXPECT_EQ(RedactedText(R"({"realm": "ops", "smtpServer": {"password": "xyzzy", "port": 25)"),
            R"({"realm": "ops", "smtpServer": {"password": [redacted to the end])");
  EXPECT_EQ(RedactedText(R"([{"a": 1}, {"value": "xyzzy", "type": "password")"),
            R"([{"a": 1}, { [redacted to the end])");
  EXPECT_EQ(RedactedText(R"("type": "password", "value")"), R"("type [redacted to the end])");
  EXPECT_EQ(RedactedText("ldap://user:xyzzy"), "ldap://user:[redacted]");
  EXPECT_EQ(RedactedText("https://host:8443"), "https://host:8443");
  EXPECT_EQ(RedactedText("https://[2001:db8::7]"), "https://[2001:db8::7]");
  EXPECT_EQ(RedactedText("-----BEGIN EC PRIVATE KEY-----\nxy"), "-----BEGIN EC PRIVATE KEY-----[redacted]");
  EXPECT_EQ(RedactedText("password='x y"), "password=[redacted]");
}

TEST(RedactedText, LeavesProse) {
  for (const char* text : {"",
                           "a",
                           "the password must have 8 characters",
                           "Basic authentication",
                           "Bearer Token",
                           "bearer of news",
                           "Digest auth",
                           "Negotiate",
                           "your secret: keep it",
                           "a = b, c=d",
                           "token_type=Bearer&scope=openid",
                           "5 $ for 6 $ a",
                           "{sha}",
                           "SCRAM-SHA-256",
                           "-----BEGIN CERTIFICATE-----abc-----END CERTIFICATE-----",
                           "eyJ",
                           "eyJhbGciOi.",
                           "mail someone@example.com",
                           "https://example.com/@someone",
                           "<b>password</b>",
                           "--- --",
                           "x: y",
                           "\"\"",
                           "%22"}) {
    EXPECT_EQ(RedactedText(text), text);
  }
}

TEST(RedactedJson, ReadsWhatTheServerCannot) {
  EXPECT_TRUE(IsReadableJson(R"({"a": "b\u0000", "c": "\ud800", "d": 1e400})"));
  EXPECT_TRUE(IsReadableJson(Repeated("[", 1200) + Repeated("]", 1200)));
  EXPECT_FALSE(IsReadableJson(Repeated("[", 1201) + Repeated("]", 1201)));
  EXPECT_FALSE(IsReadableJson(Repeated("[", 100'000)));
  EXPECT_FALSE(IsReadableJson(std::string_view("1\0x", 3)));
  for (const char* text : {"", "{", "tru", "{\"a\":}", "[1,]", "1 2"}) EXPECT_FALSE(IsReadableJson(text)) << text;
  EXPECT_EQ(RedactedJson(R"({"a": "{\"password\": \"x\\u0000\", \"b\": \"\\ud800\"}"})"),
            "{\"a\": \"{\\\"password\\\": \\\"[redacted]\\\", \\\"b\\\": \\\"\\\\ufffd\\\"}\"}");
  // Numbers stay as they were written.
  EXPECT_EQ(RedactedJson(R"({"n": 1.50, "m": 12345678901234567890123, "pw": "x"})"),
            R"({"n": 1.50, "m": 12345678901234567890123, "pw": "[redacted]"})");
}

TEST(RedactedJson, EndsWhereNobodyLooksAnyMore) {
  const std::string deep = Repeated("[", 1000) + R"({"password": "xyzzy"})" + Repeated("]", 1000);
  EXPECT_EQ(RedactedJson(deep), Repeated("[", 30) + "\"[redacted]\"" + Repeated("]", 30));
  std::string levels = R"({"password": "xyzzy"})";
  for (int i = 0; i < 8; ++i) {
    std::string quoted = "\"";
    for (const char c : levels) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    levels = quoted + "\"";
  }
  EXPECT_EQ(RedactedJson(levels).find("xyzzy"), std::string::npos);
}

// Much of anything: what is read again and again for each of its parts would take minutes.
TEST(RedactedText, TakesNoLongTime) {
  for (const char* part : {"://",       "://a@",     "eyJ",     ".eyJ",       "-eyJ",     "-----BEGIN PRIVATE KEY-----",
                           "key=",      "a=b&",      "=",       "= ",         "=\"",      "='",
                           "\\\"",      "\"key\":",  "\"",      "\"id\":\"",  "<key>",    "<",
                           "<a ",       "--",        "-- a ",   "Bearer ",    "bearer a", "$6$",
                           "$",         "{sha}",     "{",       "SCRAM-SHA-", "%22",      "%22key%22",
                           "x-key:",    ":",         "   ",     "{\"a\":",    "[",        "[]",
                           "{\"kty\":", "passwordA", "\\u0000", "\n"}) {
    const std::string text = Repeated(part, 20'000 / static_cast<int>(std::string(part).size()));
    EXPECT_LE(RedactedText(text).size(), 8 * text.size()) << part;
    EXPECT_LE(RedactedText("bearer " + text + " password").size(), 8 * text.size()) << part;
    (void)IsReadableJson(text);
  }
}

}  // namespace
