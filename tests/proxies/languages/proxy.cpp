// Sends a message through a proxy. usage: proxy HOST PORT TYPE PROXY-HOST PROXY-PORT USER PASSWORD
#include "ssmtp.hpp"

#include <cstdlib>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 8) {
        return 2;
    }
    try {
        ssmtp::Ssmtp smtp;
        smtp.on_connection_status(
            [](ssmtp::ConnectionStatusEvent &e) { std::cout << e.connection_event << ' ' << e.status_code << '\n'; });
        smtp.mail_server(argv[1]).mail_port(std::atoi(argv[2]));
        smtp.firewall().firewall_type(static_cast<ssmtp::FirewallType>(std::atoi(argv[3])));
        smtp.firewall().host(argv[4]).port(std::atoi(argv[5])).user(argv[6]).password(argv[7]);
        smtp.from("alice@client.example").send_to("bob@server.example").message_text("Hello\r\n");
        smtp.send();
        std::cout << "sent\n";
        smtp.disconnect();
    } catch (const ssmtp::error &e) {
        std::cout << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
}
