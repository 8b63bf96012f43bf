// The queue from C++: a folder, a text, a refused file.
#include "check.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace ssmtp;
namespace fs = std::filesystem;

namespace {

/// A folder that goes with the test.
struct Folder {
    fs::path path;
    Folder() {
        std::string name = (fs::temp_directory_path() / "ssmtp-queue-cpp-XXXXXX").string();
        check(mkdtemp(name.data()) != nullptr, "a folder");
        path = name;
    }
    ~Folder() { fs::remove_all(path); }

    /// How many files have this extension.
    int files(const std::string &extension) const {
        int count = 0;
        for (const auto &entry : fs::directory_iterator(path)) {
            count += entry.path().extension() == extension;
        }
        return count;
    }
};

std::string content(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

} // namespace

TEST(a_message_arrives_through_a_folder_and_as_text) {
    const Folder folder, arrived;
    const std::string store = arrived.path.string();
    Server server{"--extensions", "PIPELINING", "--eml", store.c_str()};
    Ssmtp smtp = message_to(server.port());
    smtp.subject("Gr\xC3\xBC\xC3\x9F" "e").message_text("..dots\r\n\xC3\x9C\r\n").bcc("carol@server.example");
    smtp.message_date("Sun, 22 Nov 2026 12:00:00 +0000").message_id("<queue@client.example>");
    smtp.send();
    const std::string name = smtp.queue(folder.path.string());
    const std::string text = smtp.queue("*");
    check(fs::exists(folder.path / name) && fs::path(name).extension() == ".queued", "the file");
    smtp.process_queue(folder.path.string());
    smtp.send_queued(text);
    check(fs::is_empty(folder.path), "the file goes");
    const std::string sent = content(arrived.path / "1.eml");
    check(!sent.empty() && sent.find("carol") == std::string::npos, "the blind copy is in no header");
    for (const char *number : {"2", "3"}) {
        same(content(arrived.path / (std::string(number) + ".eml")), sent, "what was queued is what is sent");
        const std::string envelope = content(arrived.path / (std::string(number) + ".envelope"));
        check(envelope.find("RCPT TO:<carol@server.example>") != std::string::npos, "the blind copy");
    }
    std::string changed = text;
    changed[changed.size() / 2] ^= 1;
    fails(ErrorCode::FILE, [&] { smtp.send_queued(changed); }, "a changed text");
}

TEST(a_refused_file_is_failed_and_the_others_go) {
    const Folder folder;
    Server server{"--fault", "RCPT:bob=550 5.1.1 no such user"};
    Ssmtp smtp = message_to(server.port());
    std::vector<std::string> told;
    smtp.on_error([&told](ErrorEvent &event) { told.emplace_back(event.description); });
    smtp.config("KeepQueue=True");
    for (const char *to : {"alice@server.example", "bob@server.example", "carol@server.example"}) {
        smtp.send_to(to);
        smtp.queue(folder.path.string());
    }
    smtp.process_queue(folder.path.string());
    check(folder.files(".sent") == 2 && folder.files(".failed") == 1, "two sent, one failed");
    check(told.size() == 1 && told[0].find(".failed: ") != std::string::npos, "the Error event");
    same(smtp.recover_queue(folder.path.string()), "", "nothing is left .sending");
    fails(ErrorCode::FILE, [&] { smtp.queue("/nowhere/at/all"); }, "a folder that is missing");
}
