// Certificates in C++: the constructors, the fields, what selects, and the properties that hold one.
#include "check.hpp"

#include <cstdio>
#include <fstream>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>

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

/// Signs with openssl and a key of the test's own.
Bytes by_openssl(const std::string &key, BytesView digest) {
    char folder[] = "/tmp/ssmtp-signer-XXXXXX";
    check(mkdtemp(folder) != nullptr, "a folder");
    const std::string input = std::string(folder) + "/input";
    std::ofstream(input, std::ios::binary)
        .write(reinterpret_cast<const char *>(digest.data()), static_cast<std::streamsize>(digest.size()));
    const std::string made =
        printed("openssl pkeyutl -sign -inkey " + FOLDER + key + " -pkeyopt digest:sha256 -in " + input);
    std::filesystem::remove_all(folder);
    return bytes(made);
}

Ssmtp signing_with(Signer signer) {
    Certificate certificate(FOLDER + "rsa.crt");
    certificate.set_signer(std::move(signer));
    check(certificate.private_key_available(), "a signer is a key");
    same(certificate.private_key(), "", "that cannot leave");
    Ssmtp smtp;
    smtp.from("ann@example.com").message_text("signed elsewhere\r\n").certificate(certificate);
    return smtp;
}

struct Busy : std::runtime_error {
    Busy() : std::runtime_error("the card is busy") {}
};

} // namespace

TEST(a_signer_signs_in_the_place_of_the_key) {
    const auto held = std::make_shared<int>(0);
    {
        Ssmtp smtp = signing_with([held](SignScheme scheme, BytesView digest) {
            ++*held;
            check(scheme == SignScheme::RSA_PKCS1 && digest.size() == 32, "RSA with SHA-256");
            return by_openssl("rsa.p8", digest);
        });
        smtp.signing_algorithm("SHA256").sign();
        check(smtp.message_text().find("signed elsewhere") != std::string::npos, "the text is in it");
        check(smtp.other_headers().find("multipart/signed") != std::string::npos, "it is signed");
        same(*held, 1, "one signature");
        same(held.use_count(), 2L, "the function lives as long as the certificate");
    }
    same(held.use_count(), 1L, "and no longer");
}

TEST(what_a_signer_throws_comes_out_of_the_method) {
    Ssmtp smtp = signing_with([](SignScheme, BytesView) -> Bytes { throw Busy(); });
    bool thrown = false;
    try {
        smtp.sign();
    } catch (const Busy &) {
        thrown = true;
    }
    check(thrown, "the very exception");
    Ssmtp wrong = signing_with([](SignScheme, BytesView digest) { return by_openssl("p256.p8", digest); });
    fails(ErrorCode::ENCRYPT, [&] { wrong.sign(); }, "the signature of another key");
    Ssmtp long_one = signing_with([](SignScheme, BytesView) { return Bytes(100000, 1); });
    fails(ErrorCode::ENCRYPT, [&] { long_one.sign(); }, "a signature without end");
    Certificate empty;
    const Signer any = [](SignScheme, BytesView) { return Bytes(); };
    fails(ErrorCode::CERT_NOT_FOUND, [&] { empty.set_signer(any); }, "no certificate");
    Certificate certificate(FOLDER + "rsa.crt");
    certificate.set_signer(any).set_signer({});
    same(certificate.private_key_available(), false, "taken away");
}

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

TEST(every_row_by_name_is_its_field) {
    Ssmtp smtp;
    const Certificate certificate(CertStoreType::PFX_FILE, FOLDER + "modern.pfx", "secret", "*");
    smtp.ssl_cert(certificate).ssl_accept_server_cert(certificate).certificate(certificate);
    for (const std::string prefix : {"SSLCert", "SSLAcceptServerCert", "Certificate"}) {
        const std::pair<const char *, std::string> texts[] = {
                {"Encoded", certificate.encoded()},
                {"Issuer", certificate.issuer()},
                {"Subject", certificate.subject()},
                {"EffectiveDate", certificate.effective_date()},
                {"ExpirationDate", certificate.expiration_date()},
                {"SubjectAltNames", certificate.subject_alt_names()},
                {"SerialNumber", certificate.serial_number()},
                {"Version", certificate.version()},
                {"Usage", certificate.usage()},
                {"ExtendedKeyUsage", certificate.extended_key_usage()},
                {"SignatureAlgorithm", certificate.signature_algorithm()},
                {"PublicKey", certificate.public_key()},
                {"PublicKeyAlgorithm", certificate.public_key_algorithm()},
                {"PrivateKey", certificate.private_key()},
                {"PrivateKeyContainer", certificate.private_key_container()},
                {"Fingerprint", certificate.fingerprint()},
                {"FingerprintSHA1", certificate.fingerprint_sha1()},
                {"FingerprintSHA256", certificate.fingerprint_sha256()},
                {"ThumbprintMD5", certificate.thumbprint_md5()},
                {"ThumbprintSHA1", certificate.thumbprint_sha1()},
                {"ThumbprintSHA256", certificate.thumbprint_sha256()},
                {"Store", certificate.store()},
                {"StorePassword", certificate.store_password()},
                {"PublicKeyLength", std::to_string(certificate.public_key_length())},
                {"UsageFlags", std::to_string(certificate.usage_flags())},
                {"StoreType", std::to_string(static_cast<int>(certificate.store_type()))},
                {"PrivateKeyAvailable", certificate.private_key_available() ? "True" : "False"},
        };
        for (const auto &text : texts) {
            same(smtp.get(prefix + text.first), text.second, prefix + text.first);
        }
    }
    // Read only, and empty before a server showed one; tests/secure has it afterwards.
    for (const char *name : {"Subject", "Encoded", "ThumbprintSHA256", "PublicKey"}) {
        same(smtp.get(std::string("SSLServerCert") + name), std::string(), name);
    }
}
