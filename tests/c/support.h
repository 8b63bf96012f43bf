/* What the tests of the boundary need around them: the embedded server as a process, a server that stops reading, time,
 * descriptors, and a resolver that hangs. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "check.h"

#include <pthread.h>
#include <sys/types.h>

#define LOOPBACK "127.0.0.1"
/* Names that the resolver of this program answers itself: slowly, or with "no such host". */
#define SLOW_HOST "slow.resolver.test"
#define NO_HOST "no-such-host.test"

typedef struct {
    pid_t pid;
    int port;
    int output;
} server;

/* Starts `xtask serve` with further arguments, NULL at the end. */
server server_start(const char *const *more);
/* The same with one fault, NULL for none. */
server server_with(const char *fault);
void server_stop(server *s);

/* Answers everything with 250, DATA with 354, and then reads no more. With `hang_up` it ends its half of the connection
 * after the 354 and resets the rest a little later: who writes then without MSG_NOSIGNAL is killed by SIGPIPE. */
typedef struct {
    pthread_t thread;
    int listener;
    int port;
    int hang_up;
    volatile int stop;
} deaf;

void deaf_start(deaf *d, int hang_up);
void deaf_stop(deaf *d);

/* A port of a listener whose queue is full, so that connecting takes for ever. */
typedef struct {
    int listener;
    int fill[8];
    int port;
} full;

void full_start(full *f);
void full_stop(full *f);

/* A port that nobody listens at. */
int closed_port(void);

/* A handle that is ready to send a short message to a port, and Timeout 10. */
ssmtp_t *message_to(int port);

double now_ms(void);
void sleep_ms(int ms);
/* How late an interrupt may come, in ms: more under valgrind (SSMTP_SLOW=1). */
double soon(void);
int open_fds(void);

/* Waits until the descriptors are `want` again; a stopped resolver needs a moment. */
int fds_return_to(int want);

void test_handles(void);
void test_calls(void);
void test_process(void);
void test_panic(void);

#endif
