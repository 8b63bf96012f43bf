/* ssmtp: files, standard input, and secrets, which come in any way but the command line: that is for all to see. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

/* Standard input, which only one option can have. */
static FILE *input(void) {
    static int taken = 0;
    if (taken++) {
        errno = EBUSY;
        return NULL;
    }
    return stdin;
}

char *read_file(const char *path, size_t *length) {
    FILE *file = strcmp(path, "-") == 0 ? input() : fopen(path, "rb");
    size_t room = 65536, got = 0;
    char *text = malloc(room + 1);
    if (file == NULL || text == NULL) {
        perror(path);
        if (file != NULL && file != stdin) fclose(file);
        free(text);
        return NULL;
    }
    int short_of_memory = 0;
    for (;;) {
        size_t n = fread(text + got, 1, room - got, file);
        got += n;
        if (n == 0) break;
        if (got == room) {
            char *more = realloc(text, room * 2 + 1);
            short_of_memory = more == NULL;
            if (short_of_memory) break;
            text = more;
            room *= 2;
        }
    }
    int bad = ferror(file) || short_of_memory;
    if (file != stdin) fclose(file);
    if (bad) {
        fprintf(stderr, "%s cannot be read\n", path);
        free(text);
        return NULL;
    }
    text[got] = '\0';
    *length = got;
    return text;
}

void wipe(char *secret, size_t length) {
    volatile char *p = secret;
    while (length-- > 0) *p++ = '\0';
}

void forget(char *secret) {
    if (secret == NULL) return;
    wipe(secret, strlen(secret));
    free(secret);
}

char *read_secret(const char *path) {
    size_t length;
    char *text = read_file(path, &length);
    if (text == NULL) return NULL;
    size_t end = strcspn(text, "\r\n");
    wipe(text + end, length - end);
    return text;
}

static char *copy_of(const char *text) {
    char *copy = malloc(strlen(text) + 1);
    if (copy != NULL) strcpy(copy, text);
    return copy;
}

char *secret_of_environment(const char *name) {
    const char *value = getenv(name);
    if (value == NULL) fprintf(stderr, "%s is not in the environment\n", name);
    return value == NULL ? NULL : copy_of(value);
}

static volatile sig_atomic_t came = 0;

static void note(int number) { came = number; }

char *ask_secret(const char *question) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP};
    enum { SIGNALS = sizeof signals / sizeof *signals };
    struct sigaction before[SIGNALS], noting;
    struct termios usual, silent;
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY);
    if (terminal < 0 || tcgetattr(terminal, &usual) != 0) {
        fputs("there is no terminal to ask for the password at\n", stderr);
        if (terminal >= 0) close(terminal);
        return NULL;
    }
    /* Whatever ends this gives the terminal its echo back first. */
    sigset_t blocked, mask;
    memset(&noting, 0, sizeof noting);
    noting.sa_handler = note;
    sigemptyset(&blocked);
    for (int n = 0; n < SIGNALS; n++) sigaddset(&blocked, signals[n]);
    sigprocmask(SIG_BLOCK, &blocked, &mask);
    for (int n = 0; n < SIGNALS; n++) sigaction(signals[n], &noting, &before[n]);
    silent = usual;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(terminal, TCSAFLUSH, &silent);
    char line[1024];
    ssize_t got = -1;
    /* A signal before the waiting begins must not be lost: they come only while it waits. */
    if (write(terminal, question, strlen(question)) >= 0) {
        fd_set ready;
        FD_ZERO(&ready);
        FD_SET(terminal, &ready);
        if (pselect(terminal + 1, &ready, NULL, NULL, NULL, &mask) > 0) got = read(terminal, line, sizeof line - 1);
    }
    tcsetattr(terminal, TCSAFLUSH, &usual);
    if (write(terminal, "\n", 1) < 0) got = -1;
    close(terminal);
    for (int n = 0; n < SIGNALS; n++) sigaction(signals[n], &before[n], NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (came != 0) raise(came);
    if (got <= 0) return NULL;
    line[got] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    char *secret = copy_of(line);
    wipe(line, sizeof line);
    return secret;
}
