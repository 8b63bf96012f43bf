// Sends a message over TLS and prints what it saw of the handshake.
// usage: secure PORT implicit|explicit TRUSTED.pem|- leave|accept|refuse|stop
#include "ssmtp.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

int main(int argc, char **argv) {
    if (argc != 5) {
        return 2;
    }
    const std::string mode = argv[2], word = argv[4];
    try {
        ssmtp::Ssmtp smtp;
        smtp.on_connection_status([](ssmtp::ConnectionStatusEvent &e) {
            std::cout << "status " << e.status_code << ' ' << e.connection_event << '\n';
        });
        smtp.on_ssl_server_authentication([&word](ssmtp::SslServerAuthenticationEvent &e) {
            std::cout << "asked " << e.accept << ' ' << e.cert_subject << ' ' << e.cert_issuer << ' '
                      << (e.accept ? std::string(e.status) : "not OK") << '\n';
            std::cout << "leaf " << (e.cert_encoded_b.size() > 100 && e.cert_encoded_b.data()[0] == 0x30 ? "DER" : "?") << '\n';
            std::cout << "chain " << (e.cert_encoded.substr(0, 27) == "-----BEGIN CERTIFICATE-----" ? "PEM" : "?") << '\n';
            if (word == "stop") {
                throw std::runtime_error("stopped by the handler");
            }
            if (word != "leave") {
                e.accept = word == "accept";
            }
        });
        smtp.mail_server("localhost").mail_port(std::atoi(argv[1]));
        smtp.ssl_start_mode(mode == "implicit" ? ssmtp::SSLStartMode::IMPLICIT : ssmtp::SSLStartMode::EXPLICIT);
        std::ifstream file(argv[3], std::ios::binary);
        if (file) {
            const std::string pem{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            smtp.config("SSLServerCACerts=" + pem);
        }
        smtp.from("alice@client.example").send_to("bob@server.example").message_text("Hello\r\n");
        smtp.send();
        std::cout << "sent " << smtp.config("SSLNegotiatedVersion") << ' ' << smtp.get("SSLServerCertSubject") << '\n';
    } catch (const ssmtp::error &e) {
        std::cout << "error " << e.code() << '\n';
    } catch (const std::runtime_error &e) {
        std::cout << e.what() << '\n';
    }
}
