// attachments HOST:PORT: text, HTML with an image, and three files: from memory, from the disk, from a stream.
#include "ssmtp.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace {

const unsigned char logo[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01,
    0xe2, 0x21, 0xbc, 0x33, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

} // namespace

int main(int argc, char **argv) {
    const std::string server = argc > 1 ? argv[1] : "";
    const auto colon = server.rfind(':');
    if (colon == std::string::npos) {
        std::cerr << "usage: attachments HOST:PORT\n";
        return 2;
    }
    std::string folder = (std::filesystem::temp_directory_path() / "ssmtp-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) {
        std::cerr << "no temporary folder\n";
        return 2;
    }
    const std::string file = folder + "/Übersicht.txt";
    std::ofstream(file) << "Inhalt äöü\n";
    std::string numbers;
    for (int i = 0; i < 256; i++) numbers += static_cast<char>(i);
    std::istringstream stream(numbers);

    int result = 0;
    try {
        ssmtp::Ssmtp smtp;
        smtp.mail_server(server.substr(0, colon)).mail_port(std::stoi(server.substr(colon + 1)));
        smtp.from("sender@client.example").send_to("alice@postfix.test").subject("Attachments – Anhänge");
        smtp.message_date("Sun, 22 Nov 2026 12:00:00 +0000").message_id("<attachments@client.example>");
        smtp.message_text("Plain text\r\n");
        smtp.message_html("<p>HTML <img src=\"cid:logo@client.example\"></p>\r\n");
        smtp.add_inline_data({logo, sizeof logo}, "logo@client.example", "image/png");
        smtp.add_attachment_data({"a;b\r\n1;2\r\n", 10}, "report.csv", "text/csv");
        smtp.add_attachment_file(file); // name and type as the file has them
        smtp.add_attachment_stream(stream, "numbers.bin", "application/octet-stream");
        smtp.send();
        std::cout << "sent\n";
    } catch (const ssmtp::error &e) {
        std::cerr << "error " << e.code() << ": " << e.what() << '\n';
        result = 1;
    }
    std::filesystem::remove_all(folder);
    return result;
}
