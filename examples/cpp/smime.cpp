// smime send HOST:PORT SIGNER.pem RECIPIENT.pem     signs with one certificate, encrypts for the other, sends
// smime read MESSAGE RECIPIENT.pem                  decrypts a received message and says who signed it
// SIGNER.pem, and RECIPIENT.pem for reading, hold the private key too.
#include "ssmtp.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

std::string load(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

ssmtp::Certificate with_key(const std::string &path) {
    return ssmtp::Certificate(ssmtp::CertStoreType::PEM_KEY_FILE, path, "", "*");
}

void send(const std::string &server, const std::string &signer, const std::string &recipient) {
    const auto colon = server.rfind(':');
    const std::string certificate = load(recipient);
    ssmtp::Ssmtp smtp;
    smtp.mail_server(server.substr(0, colon)).mail_port(std::stoi(server.substr(colon + 1)));
    smtp.config("SecurityProfile=Modern"); // AES in place of 3DES, and more
    smtp.from("rsa@b.example").send_to("second@b.example").subject("Signed and encrypted");
    smtp.message_text("Between us: ü.\r\n");
    smtp.certificate(with_key(signer));
    smtp.add_recipient_cert({certificate.data(), certificate.size()});
    smtp.sign_and_encrypt();
    smtp.send();
}

void read(const std::string &path, const std::string &recipient) {
    const std::string message = load(path);
    ssmtp::Ssmtp smtp;
    smtp.certificate(with_key(recipient));
    const ssmtp::Bytes entity = smtp.decrypt({message.data(), message.size()});
    const ssmtp::Bytes content = smtp.verify_signature({entity.data(), entity.size()});
    std::cout << "Signed by " << smtp.signer_cert().subject() << '\n' << std::string(content.begin(), content.end());
}

} // namespace

int main(int argc, char **argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    try {
        if (what == "send" && argc == 5) {
            send(argv[2], argv[3], argv[4]);
        } else if (what == "read" && argc == 4) {
            read(argv[2], argv[3]);
        } else {
            std::cerr << "usage: smime send HOST:PORT SIGNER.pem RECIPIENT.pem | read MESSAGE RECIPIENT.pem\n";
            return 2;
        }
    } catch (const ssmtp::error &e) {
        std::cerr << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
    return 0;
}
