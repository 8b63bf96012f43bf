// The C header in C++17: it compiles with warnings as errors, and its functions link as C.
#include "ssmtp.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

static_assert(std::is_standard_layout<ssmtp_transfer_event>::value, "event structs are plain C");
static_assert(std::is_same<decltype(&ssmtp_send), std::int32_t (*)(ssmtp_t *)>::value, "the signature of a method");

int main() {
    ssmtp_t *smtp = ssmtp_new();
    const bool fine = smtp != nullptr && std::strlen(ssmtp_version()) > 0 && ssmtp_set_subject(smtp, "x") == 0;
    return ssmtp_delete(smtp) == 0 && fine ? 0 : 1;
}
