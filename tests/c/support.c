/* The surroundings of the boundary tests, see support.h. */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

server server_start(const char *const *more) {
    server s = {0, 0, -1};
    const char *xtask = getenv("XTASK");
    char *argv[32];
    char line[64] = "";
    posix_spawn_file_actions_t actions;
    size_t n = 0, got = 0;
    int ends[2];

    argv[n++] = (char *)(xtask != NULL ? xtask : "target/debug/xtask");
    argv[n++] = "serve";
    while (more != NULL && *more != NULL && n < 31) {
        argv[n++] = (char *)*more++;
    }
    argv[n] = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("pipe");
        exit(2);
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&s.pid, argv[0], &actions, NULL, argv, environ) != 0) {
        fprintf(stderr, "%s cannot be started (set XTASK)\n", argv[0]);
        exit(2);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    s.output = ends[0];
    while (got + 1 < sizeof line && memchr(line, '\n', got) == NULL) {
        ssize_t more_bytes = read(s.output, line + got, sizeof line - 1 - got);
        if (more_bytes <= 0) {
            break;
        }
        got += (size_t)more_bytes;
    }
    if (sscanf(line, "listening 127.0.0.1:%d", &s.port) != 1) {
        fprintf(stderr, "the server said \"%s\"\n", line);
        exit(2);
    }
    return s;
}

server server_with(const char *fault) {
    const char *args[] = {"--fault", fault, NULL};
    return server_start(fault != NULL ? args : NULL);
}

void server_stop(server *s) {
    kill(s->pid, SIGTERM);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(s->output);
}

static int listen_at(int *port, int backlog) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, backlog) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("listen");
        exit(2);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int readable(int fd, int ms) {
    struct pollfd p;
    p.fd = fd;
    p.events = POLLIN;
    return poll(&p, 1, ms) > 0;
}

static void *deaf_run(void *argument) {
    deaf *d = argument;
    int fd = -1;
    char line[1024];
    while (!d->stop && !readable(d->listener, 10)) {
    }
    if (!d->stop) {
        fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC);
        (void)!write(fd, "220 deaf\r\n", 10);
    }
    while (fd >= 0 && !d->stop) {
        ssize_t n;
        if (!readable(fd, 10)) {
            continue;
        }
        n = recv(fd, line, sizeof line - 1, 0);
        if (n <= 0) {
            break;
        }
        line[n] = '\0';
        if (strncmp(line, "DATA", 4) == 0) {
            (void)!write(fd, "354 go on\r\n", 11);
            if (d->hang_up) {
                struct linger at_once = {1, 0};
                shutdown(fd, SHUT_WR);
                sleep_ms(50);
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
                close(fd);
                fd = -1;
            }
            break;
        }
        (void)!write(fd, "250 fine\r\n", 10);
    }
    while (!d->stop) {
        sleep_ms(5);
    }
    if (fd >= 0) {
        close(fd);
    }
    return NULL;
}

void deaf_start(deaf *d, int hang_up) {
    int small = 4096;
    sigset_t all, before;
    d->stop = 0;
    d->hang_up = hang_up;
    d->listener = listen_at(&d->port, 1);
    setsockopt(d->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_create(&d->thread, NULL, deaf_run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void deaf_stop(deaf *d) {
    d->stop = 1;
    pthread_join(d->thread, NULL);
    close(d->listener);
}

void full_start(full *f) {
    struct sockaddr_in address;
    size_t i;
    f->listener = listen_at(&f->port, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)f->port);
    for (i = 0; i < sizeof f->fill / sizeof *f->fill; i++) {
        f->fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(f->fill[i], (struct sockaddr *)&address, sizeof address);
    }
    sleep_ms(20);
}

void full_stop(full *f) {
    size_t i;
    for (i = 0; i < sizeof f->fill / sizeof *f->fill; i++) {
        close(f->fill[i]);
    }
    close(f->listener);
}

int closed_port(void) {
    int port = 0;
    close(listen_at(&port, 1));
    return port;
}

ssmtp_t *message_to(int port) {
    ssmtp_t *smtp = ssmtp_new();
    EQ(ssmtp_set_mail_server(smtp, LOOPBACK), 0);
    EQ(ssmtp_set_mail_port(smtp, port), 0);
    EQ(ssmtp_set_from(smtp, "sender@client.example"), 0);
    EQ(ssmtp_set_send_to(smtp, "alice@server.example"), 0);
    EQ(ssmtp_set_subject(smtp, "A test"), 0);
    EQ(ssmtp_set_message_text(smtp, "One line.\r\n"), 0);
    EQ(ssmtp_set_timeout(smtp, 10), 0);
    return smtp;
}

double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void sleep_ms(int ms) {
    struct timespec t;
    t.tv_sec = ms / 1000;
    t.tv_nsec = (long)(ms % 1000) * 1000000;
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

double soon(void) { return getenv("SSMTP_SLOW") != NULL ? 3000 : 100; }

int open_fds(void) {
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        n++;
    }
    closedir(folder);
    return n;
}

int fds_return_to(int want) {
    int tries;
    for (tries = 0; tries < 200 && open_fds() != want; tries++) {
        sleep_ms(10);
    }
    return open_fds() == want;
}

/* Found before the C library's own, also by libssmtp. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    resolver *real = NULL;
    if (node != NULL && strcmp(node, SLOW_HOST) == 0) {
        sleep_ms(3000);
        return EAI_NONAME;
    }
    if (node != NULL && strcmp(node, NO_HOST) == 0) {
        return EAI_NONAME;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real != NULL ? real(node, service, hints, found) : EAI_SYSTEM;
}
