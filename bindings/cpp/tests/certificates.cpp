// Certificates in C++: the constructors, the fields, what selects, and the properties that hold one.
#include "check.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>

using namespace ssmtp;

namespace {

const std::string FOLDER = "tests/data/certs/";

Bytes contents(const std::string &name) {
    std::ifstream in(FOLDER + name, std::ios::binary);
    check(in.good(), name);
    return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::string printed(const std::string &command) {
    std::string text;
    if (std::FILE *out = popen(command.c_str(), "r")) {
        for (int c; (c = std::fgetc(out)) != EOF;) {
            text += static_cast<char>(c);
        }
        pclose(out);
    }
    return text;
}

std::string x509(const std::string &kind, const std::string &options) {
    return printed("openssl x509 -in " + FOLDER + kind + ".crt -noout " + options + " | tr -d '\n'");
}

} // namespace

TEST(fields_are_what_openssl_prints) {
    for (const std::string kind : {"rsa", "pss", "p256", "p384", "p521", "ed25519", "ed448", "dsa"}) {
        const Certificate certificate(FOLDER + kind + ".crt");
        same(certificate.serial_number(), x509(kind, "-serial | cut -d= -f2"), kind);
        same(certificate.fingerprint(), x509(kind, "-fingerprint -md5 | cut -d= -f2 | tr A-F a-f"), kind);
        same(certificate.fingerprint_sha256(), x509(kind, "-fingerprint -sha256 | cut -d= -f2 | tr A-F a-f"), kind);
        same(certificate.thumbprint_sha1(), x509(kind, "-fingerprint -sha1 | cut -d= -f2 | tr -d :"), kind);
        same(certificate.public_key(), printed("openssl x509 -in " + FOLDER + kind + ".crt -noout -pubkey"), kind);
        same(certificate.encoded(), printed("openssl x509 -in " + FOLDER + kind + ".crt"), kind);
        same(certificate.private_key_available(), false, kind);
    }
}

TEST(every_constructor_makes_its_certificate) {
    using Type = CertStoreType;
    const Bytes store = contents("modern.pfx");
    const Bytes encoded = contents("rsa.der");
    const std::string leaf = Certificate(encoded).subject();
    check(leaf.find("CN=\"Leaf, Example\"") != std::string::npos, leaf);
    const Certificate made[] = {
        Certificate(Type::PFX_FILE, FOLDER + "modern.pfx", "secret", "*"),
        Certificate(Type::PFX_FILE, FOLDER + "modern.pfx", "secret", "*",
                    "Thumbprint=" + Certificate(encoded).thumbprint_md5()),
        Certificate(Type::PFX_FILE, FOLDER + "modern.pfx", "secret", encoded),
        Certificate(Type::PFX_BLOB, store, "secret", "leaf"),
        Certificate(Type::AUTO, store, "secret", encoded),
    };
    for (const Certificate &certificate : made) {
        same(certificate.subject(), leaf, "subject");
        same(certificate.private_key_available(), true, "its key");
        same(certificate.store_password(), "secret", "its password");
    }
    same(made[3].store_b() == store, true, "the store as octets");
    check(made[4].store_type() == Type::AUTO, "its kind");
    const Certificate keyless(Type::PFX_BLOB, store, "secret", contents("p256.crt"));
    same(keyless.subject(), "", "without its key");
    same(keyless.issuer(), "CN=p256.example.com", "without its key");
}

TEST(constructors_say_what_is_wrong) {
    using Type = CertStoreType;
    fails(ErrorCode::CERT_STORE, [] { Certificate("absent.crt"); }, "an absent file");
    fails(ErrorCode::CERT_NOT_FOUND, [] { Certificate(Bytes{1, 2}); }, "octets that are none");
    fails(ErrorCode::CERT_STORE, [] { Certificate(Type::PFX_FILE, "absent.pfx", "pw", "*"); }, "an absent store");
    fails(ErrorCode::CERT_STORE, [] { Certificate(Type::PFX_BLOB, Bytes{1}, "pw", "*"); }, "a broken store");
    const std::string store = FOLDER + "modern.pfx";
    const std::string text =
        fails(ErrorCode::CERT_STORE, [&] { Certificate(Type::PFX_FILE, store, "hunter2", "*"); }, "a wrong password");
    check(text.find("password") != std::string::npos && text.find("hunter2") == std::string::npos, text);
    fails(ErrorCode::CERT_NOT_FOUND, [&] { Certificate(Type::PFX_FILE, store, "secret", "nobody"); }, "nobody");
    fails(ErrorCode::CERT_NOT_FOUND, [&] { Certificate(Type::PFX_FILE, store, "secret", Bytes{1}); }, "no certificate");
    fails(ErrorCode::CREDENTIALS,
          [&] {
              Bytes both = contents("rsa.crt");
              const Bytes key = contents("p256.p8");
              both.insert(both.end(), key.begin(), key.end());
              Certificate(Type::PEM_KEY_BLOB, both, "", "*");
          },
          "the key of another certificate");
}

TEST(setting_a_field_selects) {
    Certificate certificate;
    certificate.store_type(CertStoreType::PFX_FILE).store(FOLDER + "java.pfx").store_password("secret").subject("two");
    same(certificate.subject(), "CN=two.example.com", "a part of the name");
    certificate.subject("nobody");
    same(certificate.subject(), "", "nobody");
    certificate.encoded_b(contents("p384.crt"));
    same(certificate.subject(), "", "without its key");
    same(certificate.public_key_length(), 384, "without its key");
}

TEST(properties_hold_copies_and_rows_are_their_fields) {
    Ssmtp smtp;
    Certificate certificate(CertStoreType::PFX_FILE, FOLDER + "modern.pfx", "secret", "*");
    smtp.ssl_cert(certificate).ssl_accept_server_cert(certificate).certificate(certificate);
    const std::string thumbprint = certificate.thumbprint_sha256();
    certificate.subject("");
    same(smtp.ssl_cert().thumbprint_sha256(), thumbprint, "SSLCert");
    same(smtp.ssl_accept_server_cert().thumbprint_sha256(), thumbprint, "SSLAcceptServerCert");
    same(smtp.certificate().thumbprint_sha256(), thumbprint, "Certificate");
    for (const std::string prefix : {"SSLCert", "SSLAcceptServerCert", "Certificate"}) {
        same(smtp.get(prefix + "ThumbprintSHA256"), thumbprint, prefix);
        same(smtp.get(prefix + "PrivateKeyAvailable"), "True", prefix);
        smtp.set(prefix + "Subject", "nobody");
        same(smtp.get(prefix + "ThumbprintSHA256"), "", prefix);
    }
    same(smtp.ssl_server_cert().encoded_b().empty(), true, "SSLServerCert");
}
