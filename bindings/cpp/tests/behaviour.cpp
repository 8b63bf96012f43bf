// What the C++ layer adds to the C functions: ownership, exceptions, handlers, lists, streams.
#include "check.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <streambuf>
#include <thread>
#include <type_traits>
#include <unistd.h>

using namespace ssmtp;

static_assert(!std::is_copy_constructible_v<Ssmtp> && !std::is_copy_assignable_v<Ssmtp>);
static_assert(std::is_nothrow_move_constructible_v<Ssmtp> && std::is_nothrow_move_assignable_v<Ssmtp>);
static_assert(!std::is_copy_constructible_v<Certificate> && std::is_nothrow_move_constructible_v<Certificate>);

namespace {
struct Mine {
    int number;
};
} // namespace

TEST(an_error_carries_its_number_and_text) {
    Ssmtp smtp;
    const std::string text = fails(ErrorCode::ZERO_PORT, [&] { smtp.mail_port(70000); }, "port");
    check(text.find("70000") != std::string::npos, "the text has the value");
    fails(ErrorCode::NO_MAIL_SERVER, [&] { smtp.connect(); }, "no server");
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.importance(static_cast<Importance>(77)); }, "wild enum");
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.subject(std::string_view("a\0b", 3)); }, "NUL in a text");
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.subject("\xFF"); }, "broken UTF-8");
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.set("Subject", std::string_view("\0", 1)); }, "NUL by name");
    same(smtp.subject(), "", "what was refused is not there");
}

TEST(a_text_is_taken_from_any_kind_of_string) {
    Ssmtp smtp;
    const std::string owned = "Grüße";
    smtp.subject(owned);
    same(smtp.subject(), owned, "std::string");
    smtp.subject(std::string_view("abcdef").substr(1, 3));
    same(smtp.subject(), "bcd", "a view that no NUL ends");
    smtp.subject({});
    same(smtp.subject(), "", "empty");
}

TEST(names_reach_every_property) {
    Ssmtp smtp;
    smtp.set("MailPort", "2525").set("MessageRecipientAddress[0]", "a@b.example");
    same(smtp.mail_port(), 2525, "MailPort");
    same(smtp.get("messagerecipientaddress(0)"), "a@b.example", "indexed");
    fails(ErrorCode::UNKNOWN_NAME, [&] { smtp.get("Nothing"); }, "unknown");
    fails(ErrorCode::ACCESS, [&] { smtp.set("LastReply", "x"); }, "read-only");
    same(smtp.config("AllowEmptyTo=True"), "", "writing a setting");
    same(smtp.config("AllowEmptyTo"), "True", "reading a setting");
}

TEST(moving_keeps_settings_connection_and_handlers) {
    Server server;
    Ssmtp first = message_to(server.port());
    int lines = 0;
    first.on_pi_trail([&lines](PiTrailEvent &) { ++lines; });
    first.connect();
    check(lines > 0, "the handler ran");
    Ssmtp second = std::move(first);
    fails(ErrorCode::CLOSED_HANDLE, [&] { first.subject("x"); }, "a moved-from object");
    fails(ErrorCode::CLOSED_HANDLE, [&] { first.send(); }, "a moved-from object");
    check(first.handle() == nullptr, "a moved-from object has no handle");
    check(second.connected(), "the connection came along");
    const int before = lines;
    second.send();
    check(lines > before, "the handler came along");
    Ssmtp third;
    third = std::move(second);
    same(third.subject(), "A test", "move assignment");
    Ssmtp &itself = third;
    third = std::move(itself);
    same(third.subject(), "A test", "move onto itself");
    first = std::move(third);
    first.disconnect();
    same(first.subject(), "A test", "a moved-from object can be assigned to");
}

TEST(what_a_handler_throws_comes_out_of_the_method) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    int calls = 0;
    for (int at = 1; at <= 6; ++at) {
        calls = 0;
        smtp.on_pi_trail([&](PiTrailEvent &) {
            if (++calls == at) {
                throw Mine{at};
            }
        });
        try {
            smtp.send();
            check(false, "nothing came out");
        } catch (const Mine &mine) {
            same(mine.number, at, "the very exception");
        }
        same(calls, at, "no handler runs after it");
    }
    smtp.on_pi_trail(nullptr);
    smtp.send();
}

TEST(every_method_gives_the_exception_out) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    smtp.on_pi_trail([](PiTrailEvent &) { throw Mine{1}; });
    const auto throws = [](auto call, const char *what) {
        try {
            call();
            check(false, what);
        } catch (const Mine &) {
        }
    };
    throws([&] { smtp.connect(); }, "connect");
    throws([&] { smtp.connected(true); }, "connected(true)");
    throws([&] { smtp.set("Connected", "True"); }, "set by name");
    smtp.on_pi_trail(nullptr);
    if (!smtp.connected()) {
        smtp.connect();
    }
    smtp.on_pi_trail([](PiTrailEvent &) { throw Mine{1}; });
    throws([&] { smtp.command("NOOP"); }, "command");
    smtp.on_pi_trail(nullptr);
    if (!smtp.connected()) {
        smtp.connect();
    }
    smtp.on_pi_trail([](PiTrailEvent &) { throw Mine{1}; });
    throws([&] { smtp.send_command("NOOP"); }, "send_command");
}

TEST(a_handler_that_lets_an_error_through_stops_the_operation) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    smtp.on_start_transfer([&](StartTransferEvent &) { smtp.send(); });
    fails(ErrorCode::BUSY, [&] { smtp.send(); }, "a second send inside the first");
}

TEST(events_carry_their_fields) {
    Server server{"--fault", "RCPT:bob=550 no such user"};
    Ssmtp smtp = message_to(server.port());
    std::string trail, transfers, status, errors;
    smtp.on_pi_trail([&](const PiTrailEvent &e) { trail += std::to_string(e.direction).append(e.message).append("\n"); });
    smtp.on_connection_status([&](ConnectionStatusEvent &e) { status.append(e.connection_event).append(";"); });
    smtp.on_start_transfer([&](StartTransferEvent &e) { transfers += "start" + std::to_string(e.direction); });
    smtp.on_transfer([&](TransferEvent &e) {
        transfers += " " + std::to_string(e.bytes_transferred) + " " + std::to_string(e.percent_done) + " ";
        transfers.append(e.text);
        same(e.text_b.size(), e.text.size(), "TextB");
    });
    smtp.on_end_transfer([&](EndTransferEvent &) { transfers += "end"; });
    smtp.on_error([&](ErrorEvent &e) { errors += std::to_string(e.error_code) + std::string(e.description); });
    smtp.bcc("bob@server.example");
    smtp.send();
    same(transfers, "start0 11 100 One line.\r\nend", "transfer");
    check(trail.find("0MAIL FROM:<sender@client.example>") != std::string::npos, "what was sent");
    check(trail.find("1354") != std::string::npos, "what came back");
    check(status.find("Remote host connection complete;") == 0, "status");
    check(errors.find("161") == 0 && errors.find("550") != std::string::npos, "error");
}

TEST(a_handler_may_replace_itself_and_set_properties) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    int first = 0, second = 0;
    smtp.on_pi_trail([&](PiTrailEvent &) {
        ++first;
        smtp.subject("set meanwhile");
        smtp.on_pi_trail([&](PiTrailEvent &) { ++second; });
    });
    smtp.send();
    same(first, 1, "the first handler");
    check(second > 3, "the second handler");
    same(smtp.subject(), "set meanwhile", "a setter in a handler");
}

TEST(a_handler_may_destroy_the_object) {
    Server server;
    for (const bool throws : {false, true}) {
        std::optional<Ssmtp> smtp(message_to(server.port()));
        // Something the closure owns and uses after the object is gone.
        const auto witness = std::make_shared<std::string>("still here");
        int calls = 0;
        smtp->on_pi_trail([&smtp, &calls, witness, throws](PiTrailEvent &) {
            ++calls;
            smtp.reset();
            same(*witness, "still here", "the handler outlives the object");
            if (throws) {
                throw Mine{7};
            }
        });
        try {
            smtp->send();
            check(false, "the operation went on");
        } catch (const error &e) {
            check(!throws && (e.code() == ErrorCode::INTERRUPTED || e.code() == ErrorCode::CLOSED_HANDLE), e.what());
        } catch (const Mine &) {
            check(throws, "the exception of the handler");
        }
        same(calls, 1, "no event after it");
    }
}

TEST(interrupt_comes_from_any_thread) {
    Server server{"--fault", "MAIL=stall"};
    Ssmtp smtp = message_to(server.port());
    std::thread other([&] {
        while (smtp.idle() || !smtp.connected()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        smtp.interrupt();
    });
    fails(ErrorCode::INTERRUPTED, [&] { smtp.send(); }, "send");
    other.join();
}

TEST(recipients_are_a_list) {
    Ssmtp smtp;
    auto list = smtp.message_recipients();
    check(list.empty(), "empty at first");
    list.add("a@a.example");
    list.add("b@b.example", RecipientType::CC, "Bob, Esq.", "NOTIFY=NEVER");
    list.push_back(MessageRecipient("c@c.example", RecipientType::BCC));
    list.push_back(MessageRecipient("d@d.example"));
    same(list.size(), 4u, "size");
    same(smtp.send_to(), "a@a.example, d@d.example", "SendTo");
    same(smtp.cc(), "\"Bob, Esq.\" <b@b.example>", "Cc");
    same(smtp.bcc(), "c@c.example", "BCc");
    same(list[1].name(), "Bob, Esq.", "name");
    same(list[1].options(), "NOTIFY=NEVER", "options");
    check(list[2].recipient_type() == RecipientType::BCC, "type");
    list[3].address("e@e.example").recipient_type(RecipientType::CC).name("E");
    same(smtp.send_to(), "a@a.example", "after the change");
    std::string all;
    for (const auto &item : smtp.message_recipients()) {
        all += item.address() + " ";
    }
    same(all, "a@a.example b@b.example c@c.example e@e.example ", "iteration");
    const MessageRecipient copy = list[1];
    same(copy.name, "Bob, Esq.", "a copy");
    list.erase(0);
    same(list.size(), 3u, "after erase");
    same(list[0].address(), "b@b.example", "after erase");
    same(list[0].options(), "NOTIFY=NEVER", "after erase");
    check(list[2].recipient_type() == RecipientType::CC, "after erase");
    fails(ErrorCode::INDEX, [&] { list.erase(3); }, "erase beyond the end");
    fails(ErrorCode::INDEX, [&] { list[3].address(); }, "read beyond the end");
    fails(ErrorCode::INDEX, [&] { list[1u << 31].address(); }, "an index beyond int32_t");
    fails(ErrorCode::VALUE_REFUSED, [&] { list.add("x@x.example", RecipientType::TO, "a\nb"); }, "LF in a name");
    same(list.size(), 3u, "what was refused is not in the list");
    list.clear();
    check(list.empty() && smtp.cc().empty(), "cleared");
}

TEST(headers_are_a_list) {
    Ssmtp smtp;
    check(smtp.message_headers().empty(), "no headers without a message");
    smtp.from("me@a.example").send_to("you@b.example").subject("Hello");
    bool found = false;
    std::size_t n = 0;
    for (const Header header : smtp.message_headers()) {
        found = found || (header.field == "Subject" && header.value == "Hello");
        ++n;
    }
    check(found, "Subject");
    same(n, smtp.message_headers().size(), "size");
    same(smtp.message_headers()[n - 1].field.empty(), false, "the last one");
    fails(ErrorCode::INDEX, [&] { smtp.message_headers()[n]; }, "beyond the end");
    same(Header("A", "b").value, "b", "Header(field, value)");
}

TEST(results_are_a_list) {
    Server server{"--fault", "RCPT:bob=450 4.2.1 later"};
    Ssmtp smtp = message_to(server.port());
    check(smtp.recipient_results().empty(), "empty before the first send");
    smtp.bcc("bob@server.example");
    smtp.send();
    std::string all;
    for (const auto &result : smtp.recipient_results()) {
        all += result.address + (result.accepted ? " accepted " : " refused ") + std::to_string(result.code) + " ";
    }
    same(all, "alice@server.example accepted 250 bob@server.example refused 450 ", "results");
    const RecipientResult bob = smtp.recipient_results()[1];
    same(bob.phase, "RCPT", "phase");
    same(bob.enhanced_code, "4.2.1", "enhanced code");
    check(bob.temporary && bob.text.find("later") != std::string::npos, "temporary, text");
    fails(ErrorCode::INDEX, [&] { smtp.recipient_results()[2]; }, "beyond the end");
}

TEST(messages_go_together) {
    Server server{"--fault", "RCPT:bob=550 5.1.1 no such user"};
    Ssmtp smtp = message_to(server.port());
    std::vector<Ssmtp> messages;
    for (const char *to : {"a@server.example", "bob@server.example", "c@server.example"}) {
        messages.push_back(message_to(server.port()));
        messages.back().send_to(to);
    }
    const std::vector<std::int32_t> results = smtp.send_all(messages);
    check(results == std::vector<std::int32_t>{0, ErrorCode::PROTOCOL, 0}, "results");
    same(messages[1].recipient_results()[0].enhanced_code, "5.1.1", "enhanced code");
    check(!smtp.connected(), "its own connection is closed");
    check(smtp.send_all(std::vector<Ssmtp>()).empty() && smtp.send_all({}).empty(), "no messages");
    check(smtp.send_all({&messages[0], &messages[2]}) == std::vector<std::int32_t>{0, 0}, "two of them");
    Ssmtp lost;
    fails(ErrorCode::NO_MAIL_SERVER, [&] { lost.send_all(messages); }, "no server");
}

TEST(the_proxy_is_an_object) {
    Ssmtp smtp;
    const Firewall copy = smtp.firewall();
    check(copy.host.empty() && copy.firewall_type == FirewallType::NONE && copy.port == 0, "defaults");
    smtp.firewall(Firewall{});
    smtp.firewall().host("").port(0).auto_detect(false);
    smtp.firewall().host("proxy.example");
    Firewall other = smtp.firewall();
    other.firewall_type = FirewallType::SOCKS5;
    other.port = 1081;
    smtp.firewall(other);
    const Firewall now = smtp.firewall();
    same(now.host, "proxy.example", "host");
    check(now.firewall_type == FirewallType::SOCKS5 && now.port == 1081, "type and port");
    Firewall fresh;
    fresh.firewall_type = FirewallType::SOCKS4;
    smtp.firewall(fresh);
    same(smtp.firewall().port(), 1080, "without a port it is that of the type");
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.firewall().port(65536); }, "a port out of range");
}

TEST(a_certificate_is_an_object) {
    Certificate empty;
    same(empty.subject(), "", "subject");
    same(empty.store(), "MY", "store");
    check(empty.store_type() == CertStoreType::USER, "store type");
    Certificate other = std::move(empty);
    fails(ErrorCode::BAD_ARGUMENT, [&] { empty.subject(); }, "moved from");
    same(other.subject(), "", "moved to");
    Ssmtp smtp;
    smtp.certificate(other);
    same(smtp.certificate().subject(), "", "set and read");
}

namespace {

/// A stream that hands out a fixed text and then fails.
class Failing : public std::streambuf {
public:
    explicit Failing(bool throws) : throws_(throws) { setg(text_, text_, text_ + sizeof text_ - 1); }

protected:
    int_type underflow() override {
        if (throws_) {
            throw Mine{9};
        }
        return traits_type::eof();
    }

private:
    bool throws_;
    char text_[6] = "begin";
};

/// Tells when it is destroyed.
class Watched : public std::istringstream {
public:
    Watched(const std::string &text, bool &gone) : std::istringstream(text), gone_(gone) {}
    ~Watched() override { gone_ = true; }

private:
    bool &gone_;
};

/// How many bytes Transfer reported for the stream, which follows the text.
std::string sent(Ssmtp &smtp) {
    std::string all;
    smtp.on_transfer([&](TransferEvent &e) { all.append(e.text); });
    smtp.send();
    smtp.on_transfer(nullptr);
    return all;
}

} // namespace

TEST(a_stream_follows_the_text) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    std::istringstream stream("skipped\r\nStreamed.\r\n");
    stream.seekg(9);
    smtp.set_message_stream(stream);
    same(sent(smtp), "One line.\r\nStreamed.\r\n", "text and stream");

    bool gone = false;
    smtp.set_message_stream(std::make_unique<Watched>("Owned.\r\n", gone));
    same(sent(smtp), "One line.\r\nOwned.\r\n", "an owned stream");
    check(gone, "it is destroyed when it was sent");

    gone = false;
    smtp.set_message_stream(std::make_unique<Watched>("x", gone)).clear_message_stream();
    check(gone, "a removed stream is destroyed");
    same(sent(smtp), "One line.\r\n", "and not sent");

    std::istringstream unknown("Unknown size.\r\n");
    smtp.set_message_stream(unknown, -1);
    same(sent(smtp), "One line.\r\nUnknown size.\r\n", "size unknown");

    std::istringstream strict("Its end throws.\r\n");
    strict.exceptions(std::ios::failbit | std::ios::eofbit | std::ios::badbit);
    smtp.set_message_stream(strict);
    same(sent(smtp), "One line.\r\nIts end throws.\r\n", "the end of a stream is no failure");

    gone = false;
    {
        Ssmtp other;
        other.set_message_stream(std::make_unique<Watched>("x", gone));
    }
    check(gone, "destroyed with the object");
    gone = false;
    fails(ErrorCode::VALUE_REFUSED, [&] { smtp.set_message_stream(unknown, -2); }, "a size below -1");
}

TEST(parts_come_from_memory_files_and_streams) {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("ssmtp-cpp-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    {
        std::ofstream(folder / "note.txt") << "from a file";
        Server server{"--eml", folder.c_str()};
        Ssmtp smtp = message_to(server.port());
        bool gone = false;
        std::istringstream stream("from a stream");
        smtp.add_attachment_data(bytes("from memory"), "memory.txt", "text/plain");
        smtp.add_attachment_file((folder / "note.txt").string());
        smtp.add_attachment_stream(stream, "stream.txt", "text/plain");
        smtp.add_attachment_stream(std::make_unique<Watched>("from an owned stream", gone), "owned.txt", "text/plain");
        smtp.send();
        check(gone, "an owned stream is destroyed when it was sent");
        std::stringstream eml;
        eml << std::ifstream(folder / "1.eml").rdbuf();
        // Their content in Base64, as it travels.
        for (const char *part : {"ZnJvbSBtZW1vcnk=", "ZnJvbSBhIGZpbGU=", "ZnJvbSBhIHN0cmVhbQ==",
                                 "ZnJvbSBhbiBvd25lZCBzdHJlYW0=", "note.txt"}) {
            check(eml.str().find(part) != std::string::npos, part);
        }

        gone = false;
        std::istringstream message("kept");
        smtp.clear_attachments();
        smtp.set_message_stream(message);
        smtp.add_attachment_stream(std::make_unique<Watched>("x", gone));
        smtp.clear_message_stream();
        check(!gone, "removing the message stream leaves the parts");
        smtp.clear_attachments();
        check(gone, "a removed part is destroyed");
        smtp.send();
        fails(ErrorCode::BAD_ARGUMENT, [&] { smtp.add_inline_stream(std::unique_ptr<std::istream>(), "id"); }, "null");
    }
    std::filesystem::remove_all(folder);
}

TEST(a_stream_that_throws_gives_its_exception_out) {
    Server server;
    Ssmtp smtp = message_to(server.port());
    Failing buffer(true);
    std::istream stream(&buffer);
    stream.exceptions(std::ios::badbit);
    smtp.set_message_stream(stream);
    try {
        smtp.send();
        check(false, "nothing came out");
    } catch (const Mine &mine) {
        same(mine.number, 9, "the exception of the stream");
    }
    Failing quiet(true);
    std::istream silent(&quiet);
    smtp.set_message_stream(silent);
    fails(ErrorCode::FILE, [&] { smtp.send(); }, "a stream that goes bad");
}

TEST(the_version_is_told) {
    same(version(), "0.1.0", "version");
    check(!error_text(ErrorCode::TIMEOUT).empty(), "error text");
}
