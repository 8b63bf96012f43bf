/* Preloaded: every write to a file takes a third of what it is given, or is interrupted by a signal that never was. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t write(int fd, const void *buffer, size_t count)
{
    static int turn;
    struct stat about;
    if (fd > 2 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        if (++turn % 3 == 0) {
            errno = EINTR;
            return -1;
        }
        count = count / 3 + 1;
    }
    return syscall(SYS_write, fd, buffer, count);
}
