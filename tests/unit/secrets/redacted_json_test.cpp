// Of each document everything that says xyzzy has to go, and everything that says kept has to stay: as it is, inside of
// a string, inside of a string of a string, and, cut off anywhere, as a text.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/secrets/redacted_json.h"
#include "core/secrets/redacted_text.h"

namespace {

using mfi::core::RedactedJson;
using mfi::core::RedactedText;

constexpr const char* kDocuments[] =
    {
        R"#({"client.secret.rotated": "xyzzy", "client.secret.rotated.creation.time": "17672kept", "client.secret.rotated.expiration.time": "kept"})#",
        R"#({"secret.key": "xyzzy", "api.key": "xyzzy", "apiKey": "xyzzy", "API_KEY": "xyzzy", "apikey": "xyzzy", "X-Api-Key": "xyzzy", "client_secret_jwt": "xyzzy", "secretKey": ["xyzzy"]})#",
        R"#({"name": "secret", "value": "xyzzy", "other": "kept"})#",
        R"#({"value": ["xyzzy"], "type": "password", "id": "kept", "userLabel": "kept"})#",
        R"#({"key": "smtp.password", "value": "xyzzy"})#",
        R"#({"attribute": "apiKey", "newValue": "xyzzy", "oldValue": "xyzzy"})#",
        R"#({"name": "clientSecret", "label": "kept", "type": "Password", "secret": true, "defaultValue": "xyzzy"})#",
        R"#({"name": "kept", "sensitive": true, "value": "xyzzy"})#",
        R"#({"id": "db.pwd", "data": "xyzzy"})#",
        R"#({"name": "passwordPolicy", "value": "length(8) and notUsername(kept)"})#",
        R"#({"name": "accessTokenLifespan", "value": "kept"})#",
        R"#({"name": "department", "type": "String", "value": "kept"})#",
        R"#({"name": "token", "type": "String", "value": 300})#",
        R"#({"config": "{\"secret\": \"xyzzy\", \"host\": \"kept\"}"})#",
        R"#({"config": "{\"a\": \"{\\\"b\\\": \\\"{\\\\\\\"password\\\\\\\": \\\\\\\"xyzzy\\\\\\\", \\\\\\\"host\\\\\\\": \\\\\\\"kept\\\\\\\"}\\\"}\"}"})#",
        R"#({"config": "\"{\\\"password\\\": \\\"xyzzy\\\", \\\"k\\\": \\\"kept\\\"}\""})#",
        R"#({"config": ["[{\"name\": \"secret\", \"value\": \"xyzzy\"}, {\"name\": \"kept\", \"value\": \"kept\"}]"]})#",
        R"#({"config": "{\"pass\\u0077ord\": \"xyzzy\", \"host\": \"kept\"}"})#",
        R"#({"config": "{\"password\": \"xyzzy\", \"password\": null, \"host\": \"kept\"}"})#",
        R"#({"config": "{\"password\": \"xyzzy\\u0000\", \"host\": \"kept\\ud800\"}"})#",
        R"#({"config": "failed with {\"password\": \"xyzzy\""})#",
        R"#({"config": "kept {\"name\": \"secret\", \"value\": \"xyzzy"})#",
        R"#({"config": "kept {\"kty\":\"RSA\",\"d\":\"xyzzy"})#",
        R"#({"kty": "RSA", "n": "kept", "e": "kept", "d": "xyzzy", "p": "xyzzy", "q": "xyzzy", "dp": "xyzzy", "dq": "xyzzy", "qi": "xyzzy", "oth": [{"r": "xyzzy"}], "kid": "kept", "alg": "kept", "use": "kept"})#",
        R"#({"keys": [{"kty": "oct", "k": "xyzzy", "kid": "kept"}, {"kty": "EC", "crv": "kept", "x": "kept", "y": "kept", "d": "xyzzy"}]})#",
        R"#({"jwks.string": "{\"keys\": [{\"kty\": \"OKP\", \"x\": \"kept\", \"d\": \"xyzzy\"}]}"})#",
        R"#({"d": "kept", "p": "kept", "q": "kept", "k": "kept", "qi": "kept"})#",
        R"#({"connectionUrl": "ldap://user:xyzzy@kept/"})#",
        R"#({"connectionUrl": ["ldaps://ldap.kept.example:636"], "url": "https://xyzzy@kept.example/a?b=kept", "mail": "someone@kept.example", "redirect": "https://kept.example/@kept"})#",
        R"#({"connectionUrl": "jdbc:postgresql://kept/db?user=kept&password=xyzzy&ssl=kept"})#",
        R"#({"dsn": "host=kept password='xyzzy xyzzy' user=kept", "odbc": "Server=kept;Pwd=xyzzy;Uid=kept", "azure": "AccountName=kept;AccountKey=xyzzy==;EndpointSuffix=kept"})#",
        R"#({"redirect_uri": "https://kept.example/cb?state=kept&code=xyzzy&session_state=kept", "u": "https://kept/?access_token=xyzzy&kept", "v": "https://kept/blob?sig=xyzzy&se=kept"})#",
        R"#({"form": "grant_type=kept&client_secret=xyzzy&scope=kept", "expiry": "https://kept/?token_type=kept&secret.expiration.time=kept"})#",
        R"#({"text": "-----BEGIN PRIVATE KEY-----\nxyzzy\nxyzzy==\n-----END PRIVATE KEY-----\nkept"})#",
        R"#({"text": "kept -----BEGIN ENCRYPTED PRIVATE KEY-----\nxyzzy"})#",
        R"#({"text": "-----BEGIN RSA PRIVATE KEY-----\\nxyzzy\\n-----END RSA PRIVATE KEY----- kept -----BEGIN CERTIFICATE-----kept-----END CERTIFICATE----- -----BEGIN EC PRIVATE KEY-----xyzzy-----END EC PRIVATE KEY-----"})#",
        R"#({"text": "-----BEGIN PGP PRIVATE KEY BLOCK-----\nxyzzy\n-----END PGP PRIVATE KEY BLOCK-----", "pub": "-----BEGIN PUBLIC KEY-----\nkept\n-----END PUBLIC KEY-----"})#",
        R"#({"text": "Bearer xyzzy", "b": "Basic xyzzy=="})#",
        R"#({"text": "kept Authorization: Bearer xyzzy.xyzzy.xyzzy\nkept", "b": "curl -H Authorization:Basic\tdXyzzyxyzzyQ=="})#",
        R"#({"text": "kept: Bearer xyzzy.abc_123 kept"})#",
        R"#({"Authorization": "Basic xyzzy", "Set-Cookie": "a=xyzzy", "headers": "Cookie: KEYCLOAK_IDENTITY=xyzzy"})#",
        R"#({"text": "Basic authentication is kept, Bearer tokens are kept, a digest of kept", "t": "Bearer", "u": "Bearer Token", "v": "basic auth"})#",
        R"#({"text": "the password must have eight characters, the secret is kept, no token was kept, your code: kept"})#",
        R"#({"text": "Update your password or secret key: kept", "type": "UPDATE_PASSWORD", "action": "kept"})#",
        R"#({"k": "kept not", "text": "kept eyJhbGciOiJub25lIn0.xyzzy.xyzzy kept", "x": "eyJhbGciOiJub25lIn0.eyJ4eXp6eSI6MX0.xyzzy-_x"})#",
        R"#({"hash": "$2b$10$xyzzyxyzzyxyzzyxyzzy", "h2": "{SSHA}xyzzyxyzzy=", "h3": "SCRAM-SHA-256$4096:xyzzy$xyzzy:xyzzy", "h4": "$argon2id$v=19$m=65536,t=3,p=4$xyzzyxyzzy$xyzzy", "price": "5 kept"})#",
        R"#({"xml": "<ldap:user>kept</ldap:user><ldap:password>xyzzy</ldap:password><a:ClientSecret x=\"kept\">xyzzy</a:ClientSecret>", "attr": "<bind dn=\"kept\" password=\"xyzzy\"/>"})#",
        R"#({"cmd": "kcadm.sh --user kept --password xyzzy --realm kept --client-secret=xyzzy"})#",
        R"#({"url": "https://kept/?claims=%7B%22kept%22%3A1%2C%22password%22%3A%22xyzzy%22%7D"})#",
        R"#({"credentials": [{"type": "password", "value": "xyzzy", "secretData": "xyzzy"}], "requiredCredentials": ["kept"], "credentialData": "xyzzy", "secretData": "{\"value\": \"xyzzy\"}", "credentialId": "kept", "credential_type": "kept"})#",
        R"#({"otp": "xyzzy", "totp": true, "code": "xyzzy", "user_code": "xyzzy", "recoveryAuthnCodes": ["xyzzy"], "backup-codes": "xyzzy", "code_id": "kept", "statusCode": "kept", "code_verifier": "xyzzy", "code_challenge": "kept", "code_challenge_method": "kept", "pin": "xyzzy"})#",
        R"#({"bindCredential": ["xyzzy"], "bindDn": ["kept"], "keystorePassword": "xyzzy", "keystore": "kept", "keyAlias": "kept", "privateKey": ["xyzzy"], "certificate": ["kept"], "publicKey": "kept", "kid": "kept", "saml.signing.private.key": "xyzzy", "saml.signing.certificate": "kept", "saml.encryption.private.key": "xyzzy"})#",
        R"#({"id_token_hint": "xyzzy", "client_assertion": "xyzzy", "client_assertion_type": "kept", "SAMLResponse": "xyzzy", "saml.assertion.signature": "kept", "logout_token": "xyzzy", "token_type": "kept", "refresh_token_id": "kept", "tokenUrl": "kept", "passwordPolicy": "kept"})#",
        R"#({"registrationAccessToken": "xyzzy", "authTokenClientSecret": "xyzzy", "authTokenUrl": "kept", "smtpServer": {"password": "xyzzy", "passwd": "xyzzy", "user": "kept", "pass": "xyzzy", "smtp_pw": "xyzzy"}, "awsSecretAccessKey": "xyzzy", "aws_access_key_id": "kept", "vault_secret_id": "xyzzy", "signingKey": "xyzzy", "passphrase": "xyzzy", "hmacKey": "xyzzy", "webhookKey": "xyzzy", "jsessionCookie": "xyzzy"})#",
        R"#({"a": "kept", "use.refresh.tokens": "true", "client_credentials.use_refresh_token": "false", "accessTokenLifespan": 300, "age_of_refresh_token": "kept", "actionTokenGeneratedByUserLifespan.verify-email": "300", "usePasswordModifyExtendedOp": ["true"], "passwordCredentialGrantAllowed": "kept", "access.token.signed.response.alg": "kept", "webAuthnPolicyPasswordlessUserVerificationRequirement": "kept", "secretSize": ["kept"], "oauth2.device.code.lifespan": "kept", "resetCredentialsFlow": "kept", "validatePasswordPolicy": ["kept"], "otpPolicyAlgorithm": "kept", "publicKeySignatureVerifierKeyId": "kept", "monkey": "kept", "keycloak": "kept", "secretary": "kept", "clientAuthenticatorType": "client-secret", "grant_type": "client_credentials", "keyUse": "kept", "tokenName": "kept"})#",
};

std::size_t Count(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::string Quoted(const std::string& text) { return nlohmann::json(text).dump(); }

TEST(RedactedJson, LosesSecretsAndNothingElse) {
  for (const std::string document : kDocuments) {
    for (const std::string& shape : {document, Quoted(document), "{\"a\": [" + Quoted(Quoted(document)) + "]}"}) {
      const std::string clean = RedactedJson(shape);
      EXPECT_EQ(Count(clean, "xyzzy"), 0U) << shape << "\n" << clean;
      EXPECT_EQ(Count(clean, "kept"), Count(shape, "kept")) << shape << "\n" << clean;
      EXPECT_TRUE(nlohmann::json::accept(clean)) << clean;
      EXPECT_EQ(RedactedJson(clean), clean) << "again";
      if (Count(shape, "xyzzy") == 0) EXPECT_EQ(clean, shape);
    }
  }
}

}  // namespace
