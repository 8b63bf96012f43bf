/* The C boundary: what the process around the library keeps. Signals, errno, locale, descriptors, small stacks, silence. */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* A handle whose message is long enough to still be on its way when the server goes. */
static ssmtp_t *long_message_to(int port) {
    ssmtp_t *smtp = message_to(port);
    size_t i, size = getenv("SSMTP_SLOW") != NULL ? 300 << 10 : 4 << 20;
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    for (i = 76; i + 2 < size; i += 78) {
        memcpy(text + i, "\r\n", 2);
    }
    text[size] = '\0';
    EQ(ssmtp_set_message_text(smtp, text), 0);
    free(text);
    return smtp;
}

static int gone(int32_t code) {
    return code == SSMTP_ERROR_CONNECTION_RESET || code == SSMTP_ERROR_CONNECTION_DROPPED ||
           code == SSMTP_ERROR_CONNECTION_ABORTED;
}

static void a_peer_that_resets_does_not_kill_the_process(void) {
    const char *const faults[] = {"DATA-BODY=reset", "DATA-BODY=close", "DATA=reset", "MAIL=reset", "RCPT=close",
                                  "EHLO=reset",      "GREETING=reset",  "DATA-END=reset"};
    struct sigaction action;
    size_t i;
    signal(SIGPIPE, SIG_DFL);
    for (i = 0; i < sizeof faults / sizeof *faults; i++) {
        server s = server_with(faults[i]);
        ssmtp_t *smtp = long_message_to(s.port);
        int32_t code = ssmtp_send(smtp);
        check_true(gone(code), faults[i], __FILE__, __LINE__);
        if (!gone(code)) {
            printf("    %s: %d %s\n", faults[i], (int)code, check_error(smtp));
        }
        CHECK(*check_error(smtp) != '\0');
        code = ssmtp_send(smtp); /* the handle works: it fails the same way again */
        CHECK(gone(code));
        EQ(ssmtp_delete(smtp), 0);
        server_stop(&s);
    }
    /* The plainest way to SIGPIPE: end of file first, the reset later, and the client still writing. */
    {
        deaf d;
        ssmtp_t *smtp;
        int32_t code;
        deaf_start(&d, 1);
        smtp = long_message_to(d.port);
        code = ssmtp_send(smtp);
        CHECK(gone(code));
        if (!gone(code)) {
            printf("    hung up: %d %s\n", (int)code, check_error(smtp));
        }
        EQ(ssmtp_delete(smtp), 0);
        deaf_stop(&d);
    }
    sigaction(SIGPIPE, NULL, &action);
    CHECK(action.sa_handler == SIG_DFL);
}

/* --- what must not change ---------------------------------------------------------------------------------------------- */

static void on_signal(int number) { (void)number; }

static int32_t keep_errno(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)smtp;
    (void)e;
    (void)userdata;
    errno = 4711; /* whatever a callback leaves is its own business */
    return 0;
}

static void the_process_is_left_as_it_was(void) {
    server s = server_with(NULL);
    int port = closed_port(), number, value_of_mask, rounding;
    char folder[PATH_MAX], folder_after[PATH_MAX], language[64];
    struct sigaction before[32], after;
    sigset_t mask, mask_after;
    char **environment = malloc(sizeof(char *) * 1000);
    extern char **environ;
    size_t i, n = 0;
    ssmtp_t *smtp;
    char *text = NULL;
    int32_t value;

    signal(SIGUSR1, on_signal);
    fesetround(FE_UPWARD);
    CHECK(getcwd(folder, sizeof folder) != NULL);
    setlocale(LC_ALL, "C.UTF-8");
    snprintf(language, sizeof language, "%s", setlocale(LC_ALL, NULL));
    umask(027);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (number = 1; number < 32; number++) {
        memset(&before[number], 0, sizeof before[number]);
        sigaction(number, NULL, &before[number]);
    }
    for (n = 0; environ[n] != NULL && n < 999; n++) {
        environment[n] = environ[n];
    }

    errno = 1234;
    smtp = ssmtp_new();
    EQ(errno, 1234);
    EQ(ssmtp_set_mail_server(smtp, LOOPBACK), 0);
    EQ(ssmtp_set_mail_port(smtp, port), 0);
    EQ(ssmtp_set_from(smtp, "a@a.example"), 0);
    EQ(ssmtp_set_send_to(smtp, "b@b.example"), 0);
    EQ(ssmtp_set_message_text(smtp, "x\r\n"), 0);
    EQ(errno, 1234);
    EQ(ssmtp_get_mail_port(smtp, &value), 0);
    EQ(ssmtp_get_local_host(smtp, &text), 0);
    ssmtp_free(text);
    EQ(ssmtp_get(smtp, "Nothing", &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(errno, 1234);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_CONNECTION_REFUSED);
    EQ(errno, 1234);
    EQ(ssmtp_set_mail_port(smtp, s.port), 0);
    EQ(ssmtp_on_pi_trail(smtp, keep_errno, NULL), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(errno, 1234);
    EQ(ssmtp_connect(smtp), 0);
    EQ(ssmtp_do_events(smtp), 0);
    EQ(ssmtp_last_error(smtp, &text), 0);
    ssmtp_free(text);
    EQ(ssmtp_config(smtp, "KeepQueue=nonsense", NULL), SSMTP_ERROR_VALUE_REFUSED);
    EQ(errno, 1234);
    EQ(ssmtp_delete(smtp), 0);
    EQ(ssmtp_delete(smtp), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(errno, 1234);

    rounding = fegetround();
    fesetround(FE_TONEAREST);
    EQ(rounding, FE_UPWARD);
    CHECK(getcwd(folder_after, sizeof folder_after) != NULL);
    EQ_TEXT(folder_after, folder);
    EQ_TEXT(setlocale(LC_ALL, NULL), language);
    value_of_mask = (int)umask(022);
    EQ(value_of_mask, 027);
    pthread_sigmask(SIG_SETMASK, NULL, &mask_after);
    for (number = 1; number < 32; number++) {
        EQ(sigismember(&mask_after, number), sigismember(&mask, number));
        memset(&after, 0, sizeof after);
        sigaction(number, NULL, &after);
        CHECK(after.sa_handler == before[number].sa_handler && after.sa_flags == before[number].sa_flags);
    }
    for (i = 0; i < n; i++) {
        CHECK(environ[i] == environment[i]);
    }
    CHECK(environ[n] == NULL);
    free(environment);
    signal(SIGUSR1, SIG_DFL);
    server_stop(&s);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int number) {
    (void)number;
    alarms++;
}

static void a_storm_of_signals_does_not_disturb(void) {
    const char *args[] = {"--delay", "5", "--one-byte", NULL};
    server s = server_start(args);
    ssmtp_t *smtp = long_message_to(s.port);
    /* Every ms; valgrind cannot deliver them that fast. */
    const int period = getenv("SSMTP_SLOW") != NULL ? 50000 : 1000;
    struct itimerval every = {{0, period}, {0, period}}, never = {{0, 0}, {0, 0}};
    struct sigaction action, before;
    int i;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm; /* no SA_RESTART: every wait is cut */
    sigaction(SIGALRM, &action, &before);
    alarms = 0;
    setitimer(ITIMER_REAL, &every, NULL);
    for (i = 0; i < 3; i++) {
        int32_t code = ssmtp_send(smtp);
        EQ(code, 0);
    }
    EQ(ssmtp_connect(smtp), 0);
    EQ(ssmtp_do_events(smtp), 0);
    EQ(ssmtp_disconnect(smtp), 0);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    CHECK(alarms > (period == 1000 ? 20 : 0));
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

/* --- descriptors -------------------------------------------------------------------------------------------------------- */

static int connected_fds;
static int leaky_fds;

/* Looks at every descriptor of the process that a connected handle has added. */
static void look_at_fds(const char *known) {
    int fd;
    connected_fds = 0;
    leaky_fds = 0;
    for (fd = 0; fd < 1024; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !known[fd]) {
            connected_fds++;
            leaky_fds += (flags & FD_CLOEXEC) == 0;
        }
    }
}

static int32_t look_in_callback(ssmtp_t *smtp, ssmtp_pi_trail_event *e, void *userdata) {
    (void)smtp;
    (void)e;
    look_at_fds(userdata);
    EQ(leaky_fds, 0);
    return 0;
}

static void every_descriptor_is_closed_on_exec(void) {
    server s = server_with(NULL);
    char known[1024];
    ssmtp_t *smtp;
    int fd;
    for (fd = 0; fd < 1024; fd++) {
        known[fd] = fcntl(fd, F_GETFD) >= 0;
    }
    smtp = message_to(s.port);
    EQ(ssmtp_set_attached_file(smtp, "/etc/passwd"), 0);
    EQ(ssmtp_on_pi_trail(smtp, look_in_callback, known), 0);
    EQ(ssmtp_connect(smtp), 0);
    look_at_fds(known);
    CHECK(connected_fds > 0);
    EQ(leaky_fds, 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_disconnect(smtp), 0);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static void no_error_path_leaks_a_descriptor(void) {
    static const struct {
        const char *fault;
        int32_t code;
    } paths[] = {
        {"GREETING=close", SSMTP_ERROR_CONNECTION_DROPPED}, {"GREETING=garbage", SSMTP_ERROR_PROTOCOL},
        {"GREETING=554 go away", SSMTP_ERROR_PROTOCOL},     {"GREETING=stall", SSMTP_ERROR_TIMEOUT},
        {"EHLO=close", SSMTP_ERROR_CONNECTION_DROPPED},     {"EHLO=endless", 0},
        {"MAIL=550 no", SSMTP_ERROR_PROTOCOL},              {"MAIL=421 bye", SSMTP_ERROR_PROTOCOL},
        {"RCPT=550 no", SSMTP_ERROR_PROTOCOL},              {"RCPT=garbage", SSMTP_ERROR_PROTOCOL},
        {"DATA=451 later", SSMTP_ERROR_PROTOCOL},           {"DATA-END=552 too much", SSMTP_ERROR_PROTOCOL},
        {"DATA-END=stall", SSMTP_ERROR_TIMEOUT},            {"DATA-BODY=reset", SSMTP_ERROR_CONNECTION_RESET},
    };
    int before = open_fds();
    size_t i;
    ssmtp_t *smtp;
    full f;
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        server s = server_with(paths[i].fault);
        int while_serving = open_fds();
        int32_t code;
        smtp = message_to(s.port);
        EQ(ssmtp_set_timeout(smtp, 1), 0);
        code = ssmtp_send(smtp);
        if (paths[i].code != 0 ? code != paths[i].code && !(gone(code) && gone(paths[i].code)) : code == 0) {
            check_int(code, paths[i].code, paths[i].fault, __FILE__, __LINE__);
        }
        EQ(ssmtp_delete(smtp), 0);
        check_true(fds_return_to(while_serving), paths[i].fault, __FILE__, __LINE__);
        server_stop(&s);
    }
    /* Deleted while connected. */
    {
        server s = server_with(NULL);
        smtp = message_to(s.port);
        EQ(ssmtp_connect(smtp), 0);
        EQ(ssmtp_connect(smtp), SSMTP_ERROR_ALREADY_CONNECTED);
        EQ(ssmtp_set_mail_port(smtp, 26), SSMTP_ERROR_MAIL_PORT_CONNECTED);
        EQ(ssmtp_set_mail_server(smtp, "x"), SSMTP_ERROR_MAIL_SERVER_CONNECTED);
        EQ(ssmtp_delete(smtp), 0);
        server_stop(&s);
    }
    smtp = message_to(closed_port());
    EQ(ssmtp_send(smtp), SSMTP_ERROR_CONNECTION_REFUSED);
    EQ(ssmtp_set_mail_server(smtp, NO_HOST), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_HOST_NOT_FOUND);
    SAYS(smtp, NO_HOST);
    EQ(ssmtp_set_mail_server(smtp, ""), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_NO_MAIL_SERVER);
    EQ(ssmtp_delete(smtp), 0);
    full_start(&f);
    smtp = message_to(f.port);
    EQ(ssmtp_set_timeout(smtp, 1), 0);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_TIMEOUT);
    EQ(ssmtp_delete(smtp), 0);
    full_stop(&f);
    CHECK(fds_return_to(before));
}

static void descriptors_beyond_1024_work_and_none_left_is_10024(void) {
    server s = server_with(NULL);
    ssmtp_t *smtp = message_to(s.port);
    struct rlimit before, limit;
    int low, high = -1, fd, used = 0, held[64];
    getrlimit(RLIMIT_NOFILE, &before);
    limit = before;
    if (before.rlim_max == RLIM_INFINITY || before.rlim_max > 4096) {
        limit.rlim_cur = 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
        low = open("/dev/null", O_RDONLY | O_CLOEXEC);
        /* Fill every number below 1200, so that the socket's lies above. */
        {
            static int all[1300];
            int n = 0;
            while ((fd = fcntl(low, F_DUPFD_CLOEXEC, 0)) >= 0 && n < 1299) {
                all[n++] = fd;
                high = fd;
                if (fd >= 1200) {
                    break;
                }
            }
            CHECK(high >= 1200);
            EQ(ssmtp_send(smtp), 0);
            while (n > 0) {
                close(all[--n]);
            }
        }
        close(low);
    }
    /* No descriptor left: the highest in use becomes the limit, and the gaps below are filled. */
    limit.rlim_cur = 40;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (used < 64 && (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        held[used++] = fd;
    }
    EQ(ssmtp_send(smtp), SSMTP_ERROR_TOO_MANY_FILES);
    while (used > 0) {
        close(held[--used]);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

/* --- stacks, output, faults ---------------------------------------------------------------------------------------------- */

static int stack_port;

static void *send_on_small_stack(void *code) {
    ssmtp_t *smtp = ssmtp_new();
    ssmtp_set_mail_server(smtp, LOOPBACK);
    ssmtp_set_mail_port(smtp, stack_port);
    ssmtp_set_from(smtp, "\"Zo\xC3\xAB\" <a@a.example>");
    ssmtp_set_send_to(smtp, "b@b.example, \"C, D\" <c@c.example>");
    ssmtp_set_subject(smtp, "Gr\xC3\xBC\xC3\x9F" "e");
    ssmtp_set_message_text(smtp, "A line\r\n.\r\nAnother \xC3\xBC\r\n");
    *(int32_t *)code = ssmtp_send(smtp);
    if (*(int32_t *)code == 0) {
        ssmtp_set_mail_port(smtp, 1);
        *(int32_t *)code = ssmtp_send(smtp) == SSMTP_ERROR_CONNECTION_REFUSED ? 0 : -2;
    }
    ssmtp_delete(smtp);
    return NULL;
}

static void a_thread_with_a_64_kib_stack_sends(void) {
    server s = server_with(NULL);
    pthread_attr_t attributes;
    pthread_t thread;
    int32_t code = -1;
    stack_port = s.port;
    pthread_attr_init(&attributes);
    EQ(pthread_attr_setstacksize(&attributes, 64 << 10), 0);
    EQ(pthread_create(&thread, &attributes, send_on_small_stack, &code), 0);
    pthread_join(thread, NULL);
    EQ(code, 0);
    pthread_attr_destroy(&attributes);
    server_stop(&s);
}

static int saved[2];

static void silence(FILE *file) {
    fflush(stdout);
    fflush(stderr);
    saved[0] = dup(1);
    saved[1] = dup(2);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
}

/* How much was written meanwhile. */
static long speak(FILE *file) {
    struct stat status;
    fflush(stdout);
    fflush(stderr);
    dup2(saved[0], 1);
    dup2(saved[1], 2);
    close(saved[0]);
    close(saved[1]);
    return fstat(fileno(file), &status) == 0 ? (long)status.st_size : -1;
}

static void nothing_is_written_to_stdout_or_stderr(void) {
    server s = server_with("DATA-END@1=451 later");
    FILE *file = tmpfile();
    int32_t codes[6], i = 0;
    long written;
    ssmtp_t *smtp = message_to(s.port);
    silence(file);
    codes[i++] = ssmtp_send(smtp);
    codes[i++] = ssmtp_send(smtp);
    codes[i++] = ssmtp_set_subject(smtp, "\xFF");
    codes[i++] = ssmtp_config(smtp, "Nothing=1", NULL);
    codes[i++] = ssmtp_disconnect(smtp);
    ssmtp_set_mail_port(smtp, closed_port());
    codes[i++] = ssmtp_send(smtp);
    ssmtp_delete(smtp);
    ssmtp_delete(smtp);
    written = speak(file);
    EQ(written, 0);
    EQ(codes[0], SSMTP_ERROR_PROTOCOL);
    EQ(codes[1], 0);
    EQ(codes[2], SSMTP_ERROR_VALUE_REFUSED);
    EQ(codes[3], SSMTP_ERROR_UNKNOWN_NAME);
    EQ(codes[4], 0);
    EQ(codes[5], SSMTP_ERROR_CONNECTION_REFUSED);
    fclose(file);
    server_stop(&s);
}

/* Only a library that was built with the feature test-hooks has the entry that panics; run.sh makes one. */
static void a_panic_is_607_and_the_host_lives(void) {
    int32_t (*panic)(ssmtp_t *) = NULL;
    ssmtp_t *smtp, *other;
    FILE *file;
    int32_t code;
    *(void **)&panic = dlsym(RTLD_DEFAULT, "ssmtp_test_panic");
    CHECK(panic != NULL);
    if (panic == NULL) {
        return;
    }
    file = tmpfile();
    smtp = ssmtp_new();
    other = ssmtp_new();
    silence(file);
    code = panic(smtp);
    EQ(speak(file), 0); /* no "panicked at" */
    EQ(code, SSMTP_ERROR_INTERNAL);
    EQ(ssmtp_set_subject(smtp, "x"), SSMTP_ERROR_INTERNAL);
    EQ(ssmtp_send(smtp), SSMTP_ERROR_INTERNAL);
    EQ(ssmtp_set_subject(other, "x"), 0);
    EQ(ssmtp_delete(smtp), 0);
    EQ(ssmtp_delete(other), 0);
    fclose(file);
}

static void a_child_of_fork_can_send(void) {
    server s = server_with(NULL);
    ssmtp_t *parents = message_to(s.port);
    int status = -1;
    pid_t child;
    EQ(ssmtp_send(parents), 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        ssmtp_t *smtp = ssmtp_new();
        ssmtp_set_mail_server(smtp, LOOPBACK);
        ssmtp_set_mail_port(smtp, s.port);
        ssmtp_set_from(smtp, "a@a.example");
        ssmtp_set_send_to(smtp, "b@b.example");
        ssmtp_set_message_text(smtp, "from the child\r\n");
        _exit(ssmtp_send(smtp) == 0 && ssmtp_delete(smtp) == 0 && ssmtp_send(parents) == 0 ? 0 : 1);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EQ(ssmtp_delete(parents), 0);
    server_stop(&s);
}

/* When there is no memory left a call fails with 609, or the process ends in abort(): never a crash, never a hang. */
static void no_memory_is_an_error_or_a_clean_end(void) {
    int status = -1;
    pid_t child;
    if (getenv("SSMTP_SLOW") != NULL) {
        return; /* valgrind itself needs the memory */
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct rlimit limit = {400u << 20, 400u << 20};
        size_t size = 64u << 20;
        char *text = malloc(size + 1), *copies[8];
        ssmtp_t *smtp = ssmtp_new();
        int i, fd = open("/dev/null", O_WRONLY);
        dup2(fd, 2); /* Rust says a last word before it aborts */
        memset(text, 'x', size);
        text[size] = '\0';
        if (setrlimit(RLIMIT_AS, &limit) != 0 || ssmtp_set_message_text(smtp, text) != 0) {
            _exit(3);
        }
        for (i = 0; i < 8; i++) {
            int32_t code = ssmtp_get_message_text(smtp, &copies[i]);
            if (code != 0) {
                _exit(code == SSMTP_ERROR_OUT_OF_MEMORY ? 0 : 4);
            }
        }
        _exit(5);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    if (WIFEXITED(status)) {
        EQ(WEXITSTATUS(status), 0);
    }
}

void test_panic(void) { RUN(a_panic_is_607_and_the_host_lives); }

void test_process(void) {
    RUN(a_peer_that_resets_does_not_kill_the_process);
    RUN(the_process_is_left_as_it_was);
    RUN(a_storm_of_signals_does_not_disturb);
    RUN(every_descriptor_is_closed_on_exec);
    RUN(no_error_path_leaks_a_descriptor);
    RUN(descriptors_beyond_1024_work_and_none_left_is_10024);
    RUN(a_thread_with_a_64_kib_stack_sends);
    RUN(nothing_is_written_to_stdout_or_stderr);
    RUN(a_child_of_fork_can_send);
    RUN(no_memory_is_an_error_or_a_clean_end);
}
