// scenarios NAME PORT FOLDER: one scenario of list.toml at a server on 127.0.0.1, told line by line. What the other programs of
// the tests and the examples show already is not here again.
#include "scenario.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

ssmtp::Ssmtp client(int port) {
    ssmtp::Ssmtp smtp;
    smtp.mail_server("127.0.0.1").mail_port(port);
    smtp.config("Hello=client.example");
    fill(smtp);
    return smtp;
}

template <class Work> void tell(const char *done, Work work) {
    try {
        work();
        std::cout << done << '\n';
    } catch (const ssmtp::error &e) {
        std::cout << "error " << e.code() << '\n';
    }
}

void login(int port, const std::string &) {
    for (const char *password : {"open sesame", "something else"}) {
        ssmtp::Ssmtp smtp = client(port);
        smtp.on_pi_trail([](const ssmtp::PiTrailEvent &e) {
            if (e.direction == 0 && e.message.substr(0, 4) == "AUTH") {
                std::cout << e.message << '\n';
            }
        });
        smtp.user("alice").password(password);
        tell("sent", [&] { smtp.send(); });
    }
}

void queue(int port, const std::string &folder) {
    ssmtp::Ssmtp smtp = client(port);
    std::filesystem::path file;
    std::string text;
    tell("queued in the folder", [&] {
        file = std::filesystem::path(folder) / smtp.queue(folder);
        if (!std::filesystem::exists(file)) {
            throw std::logic_error("there is no file");
        }
    });
    tell("queued as text", [&] { text = smtp.queue("*"); });
    tell("processed", [&] { smtp.process_queue(folder); });
    std::cout << (std::filesystem::exists(file) ? "the file stays\n" : "the file is gone\n");
    tell("sent", [&] { smtp.send_queued(text); });
    text[text.size() / 2] ^= 1;
    tell("sent", [&] { smtp.send_queued(text); });
}

void interrupt(int port, const std::string &) {
    ssmtp::Ssmtp smtp = client(port);
    std::thread thread([&smtp] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        smtp.interrupt();
    });
    tell("sent", [&] { smtp.send(); });
    thread.join();
    smtp.on_end_transfer([&smtp](ssmtp::EndTransferEvent &) { smtp.interrupt(); });
    tell("sent", [&] { smtp.send(); });
    std::cout << "idle " << smtp.idle() << '\n';
}

void errors(int port, const std::string &) {
    {
        ssmtp::Ssmtp smtp = client(port);
        smtp.on_error([](const ssmtp::ErrorEvent &e) {
            std::cout << "event " << e.error_code << ": " << e.description << '\n';
        });
        smtp.config("StopOnCcErrors=False");
        tell("sent", [&] { smtp.send(); }); // one recipient is refused, and it goes to the others
        for (const ssmtp::RecipientResult &result : smtp.recipient_results()) {
            std::cout << result.address << ": " << result.code << ' ' << result.enhanced_code << ' '
                      << (result.accepted ? "accepted" : "refused") << '\n';
        }
        smtp.on_error(nullptr);
        smtp.cc("").bcc("").send_to("bob@postfix.test");
        try {
            smtp.send();
        } catch (const ssmtp::error &e) {
            std::cout << "error " << e.code() << '\n' << e.what() << '\n';
        }
        smtp.from("");
        tell("sent", [&] { smtp.send(); });
        tell("set", [&] { smtp.mail_port(70000); });
        tell("set", [&] { smtp.set("NoSuchName", "1"); });
        tell("set", [&] { smtp.set("MessageRecipientAddress[9]", "x@y.example"); });
        tell("set", [&] { smtp.from("a\r\nb@c.example"); });
    }
    ssmtp::Ssmtp smtp = client(1);
    tell("sent", [&] { smtp.send(); }); // nobody listens there
}

void events(int port, const std::string &) {
    ssmtp::Ssmtp smtp = client(port);
    smtp.on_connection_status([](const ssmtp::ConnectionStatusEvent &e) {
        std::cout << "status " << e.status_code << ' ' << e.connection_event << '\n';
    });
    smtp.on_start_transfer([](const ssmtp::StartTransferEvent &e) { std::cout << "start " << e.direction << '\n'; });
    smtp.on_transfer([](const ssmtp::TransferEvent &e) {
        std::cout << "transfer " << e.direction << ' ' << e.bytes_transferred << ' ' << e.percent_done
                  << "%: " << e.text.size() << '\n';
    });
    smtp.on_end_transfer([](const ssmtp::EndTransferEvent &e) { std::cout << "end " << e.direction << '\n'; });
    smtp.on_pi_trail([](const ssmtp::PiTrailEvent &e) { std::cout << e.direction << ' ' << e.message << '\n'; });
    tell("sent", [&] { smtp.send(); });
    smtp.on_connection_status(nullptr).on_transfer(nullptr).on_end_transfer(nullptr).on_pi_trail(nullptr);
    smtp.on_start_transfer([](ssmtp::StartTransferEvent &) { throw std::runtime_error("stopped by the handler"); });
    try {
        smtp.send();
        std::cout << "not stopped\n";
    } catch (const std::runtime_error &e) {
        std::cout << e.what() << '\n';
    }
}

} // namespace

int main(int argc, char **argv) {
    const std::map<std::string, std::function<void(int, const std::string &)>> all = {
        {"login", login}, {"queue", queue}, {"interrupt", interrupt}, {"errors", errors}, {"events", events}};
    const auto one = all.find(argc == 4 ? argv[1] : "");
    if (one == all.end()) {
        std::cerr << "usage: scenarios login|queue|interrupt|errors|events PORT FOLDER\n";
        return 2;
    }
    one->second(std::atoi(argv[2]), argv[3]);
}
