// What the C++ tests share: tests that register themselves, checks that count, the questions to every row, the embedded
// server as a process.
#ifndef CHECK_HPP
#define CHECK_HPP

#include "ssmtp.hpp"

#include <initializer_list>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

namespace check_detail {

inline int failures = 0;

struct Test {
    Test(const char *name, void (*run)());
};

template <class T, class = void> struct Shown {
    static void on(std::ostream &out, const T &) { out << "(a value)"; }
};
template <class T> struct Shown<T, std::void_t<decltype(std::declval<std::ostream &>() << std::declval<T>())>> {
    static void on(std::ostream &out, const T &value) { out << value; }
};

} // namespace check_detail

#define TEST(name)                                                                                                     \
    static void name();                                                                                                \
    static const check_detail::Test test_##name(#name, name);                                                          \
    static void name()

inline void check(bool holds, std::string_view what) {
    if (!holds) {
        ++check_detail::failures;
        std::cout << "not so: " << what << '\n';
    }
}

template <class A, class B> void same(const A &got, const B &want, std::string_view what) {
    if (!(got == want)) {
        ++check_detail::failures;
        std::cout << what << " is ";
        check_detail::Shown<A>::on(std::cout, got);
        std::cout << ", expected ";
        check_detail::Shown<B>::on(std::cout, want);
        std::cout << '\n';
    }
}

/// The call must throw ssmtp::error with this number; gives its text.
template <class Call> std::string fails(std::int32_t code, Call call, std::string_view what) {
    try {
        call();
        check(false, std::string(what) + ": nothing was thrown");
    } catch (const ssmtp::error &e) {
        same(e.code(), code, what);
        check(*e.what() != '\0', what);
        return e.what();
    }
    return {};
}

inline ssmtp::Bytes bytes(std::string_view text) { return ssmtp::Bytes(text.begin(), text.end()); }

// The questions to every row of the API description.

#define ROW(name, want, given)                                                                                         \
    do {                                                                                                               \
        Ssmtp row;                                                                                                     \
        same(row.name(), want, #name ": default");                                                                    \
        same(&row.name(given), &row, #name ": the setter returns the object");                                        \
        same(row.name(), given, #name ": round trip");                                                                \
    } while (false)

#define PLANNED_ROW(name, want, given)                                                                                 \
    do {                                                                                                               \
        Ssmtp row;                                                                                                     \
        same(row.name(), want, #name ": default");                                                                    \
        row.name(want);                                                                                                \
        fails(ErrorCode::PLANNED, [&] { row.name(given); }, #name ": planned");                                        \
    } while (false)

enum Kind { READ, SETS, PLANNED };

inline void setting(const std::string &name, const std::string &want, const std::string &given, Kind kind) {
    ssmtp::Ssmtp smtp;
    same(smtp.config(name), want, name);
    if (kind == READ) {
        fails(ssmtp::ErrorCode::ACCESS, [&] { smtp.config(name + "=x"); }, name);
    } else if (kind == SETS) {
        same(smtp.config(name + "=" + given), "", name);
        same(smtp.config(name), given, name);
    } else {
        smtp.config(name + "=" + want);
        const std::string text = fails(ssmtp::ErrorCode::PLANNED, [&] { smtp.config(name + "=" + given); }, name);
        check(text.find(name) != std::string::npos, name + " is named in the error");
    }
}

/// `xtask serve`, from XTASK or target/debug/xtask, until it goes out of scope.
class Server {
public:
    explicit Server(std::initializer_list<const char *> more = {});
    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;
    ~Server();
    int port() const { return port_; }

private:
    int pid_ = 0;
    int port_ = 0;
    int output_ = -1;
};

/// An object that is ready to send a short message to a port.
ssmtp::Ssmtp message_to(int port);

#endif
