#include "command/node/secret.h"

#include <chrono>

#include "support.h"

namespace {

using namespace mfi::command;
using mfi::test::ErrorOf;

// RFC 4231
TEST(Secret, HmacIsThatOfTheStandard) {
  EXPECT_EQ(Hex(Hmac(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(Hmac("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(Hmac(std::string(20, '\xaa'), std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(Hex(Hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 7914; its 64 bytes begin with the same 32 that a shorter key has.
TEST(Secret, ScryptIsThatOfTheStandard) {
  EXPECT_EQ(Hex(Scrypt("", "", 16, 1, 1)), "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442");
  EXPECT_EQ(Hex(Scrypt("password", "NaCl", 1024, 8, 16)),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
  EXPECT_EQ(Hex(Scrypt("pleaseletmein", "SodiumChloride", 16384, 8, 1)),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST(Secret, IsOfThePasswordTheSystemAndTheName) {
  const auto began = std::chrono::steady_clock::now();
  const auto secrets = DeriveSecrets("w\xc3\xb6rd", "7437912345678901234", {"mfi_probe", "word"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));  // with sanitizers, on a busy machine
  ASSERT_EQ(secrets.size(), 2U);
  EXPECT_EQ(secrets[0].size(), 64U);
  EXPECT_EQ(secrets[0], Hex(Hmac(Scrypt("w\xc3\xb6rd", "7437912345678901234", 65536, 8, 1), "mfi_probe")));
  EXPECT_NE(secrets[0], secrets[1]);
  EXPECT_NE(DeriveSecrets("w\xc3\xb6rd", "7437912345678901235", {"mfi_probe"}), std::vector{secrets[0]});
  EXPECT_NE(DeriveSecrets("word", "7437912345678901234", {"mfi_probe"}), std::vector{secrets[0]});
}

TEST(Secret, WrongUseIsRefused) {
  const auto message = [](const char* password, const char* system, const char* name) {
    return std::string(ErrorOf([&] { DeriveSecrets(password, system, {name}); }).what());
  };
  EXPECT_EQ(message("", "1", "a"), "the password is empty");
  EXPECT_EQ(message("a\nb", "1", "a"), "the password has a line break or a zero byte");
  for (const char* system : {"", "0", "01", "-1", "1 ", "123456789012345678901"}) {
    EXPECT_NE(message("a", system, "a").find("is no system identifier"), std::string::npos) << system;
  }
  for (const char* name : {"", "A", "a b", "a-b", "a/b"}) {
    EXPECT_NE(message("a", "1", name).find("is no name of a secret"), std::string::npos) << name;
  }
}

TEST(Secret, Comparison) {
  EXPECT_TRUE(SameSecret("abc", "abc"));
  EXPECT_FALSE(SameSecret("abc", "abd"));
  EXPECT_FALSE(SameSecret("abc", "ab"));
  EXPECT_TRUE(SameSecret("", ""));
}

}  // namespace
