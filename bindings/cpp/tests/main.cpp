// The runner of the C++ tests, and the server they talk to.
#include "check.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char **environ;

namespace {

struct Entry {
    const char *name;
    void (*run)();
};

std::vector<Entry> &tests() {
    static std::vector<Entry> all;
    return all;
}

} // namespace

check_detail::Test::Test(const char *name, void (*run)()) { tests().push_back({name, run}); }

Server::Server(std::initializer_list<const char *> more) {
    const char *xtask = std::getenv("XTASK");
    std::vector<const char *> args{xtask != nullptr ? xtask : "target/debug/xtask", "serve"};
    args.insert(args.end(), more.begin(), more.end());
    args.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        std::abort();
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&pid_, args[0], &actions, nullptr, const_cast<char **>(args.data()), environ) != 0) {
        std::cerr << args[0] << " cannot be started (set XTASK)\n";
        std::exit(2);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
    std::string line;
    for (char c; line.find('\n') == std::string::npos && read(output_, &c, 1) == 1;) {
        line += c;
    }
    port_ = std::atoi(line.c_str() + line.rfind(':') + 1);
}

Server::~Server() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    close(output_);
}

ssmtp::Ssmtp message_to(int port) {
    ssmtp::Ssmtp smtp;
    smtp.mail_server("127.0.0.1").mail_port(port).timeout(10);
    smtp.from("sender@client.example").send_to("alice@server.example").subject("A test").message_text("One line.\r\n");
    return smtp;
}

int main() {
    int passed = 0;
    int failed = 0;
    for (const Entry &test : tests()) {
        const int before = check_detail::failures;
        try {
            test.run();
        } catch (const std::exception &e) {
            check(false, e.what());
        }
        if (check_detail::failures == before) {
            ++passed;
        } else {
            ++failed;
            std::cout << "FAILED " << test.name << '\n';
        }
    }
    std::cout << passed << " passed, " << failed << " failed\n";
    return failed == 0 && passed > 0 ? 0 : 1;
}
