// A disk that fails: loaded before the C library (LD_PRELOAD), it takes the place of the calls by which files are written and
// synced. It looks at each call whether the file named by FAULT says what is to go wrong, and otherwise passes it on.
//
//   full          no room in any file of the ledger
//   readonly      the file system of the ledger is read only
//   sync          no sync of the ledger's files works
//   slow MS       each takes so long
//   eat           what is written to the ledger's own file is taken and not written, until its next sync, which says so; from
//                 then on all is well, as with a kernel that drops pages which it could not write
//
// The machine's time of day is moved by as many seconds as the file named by CLOCK says.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

// What is to go wrong with a file: written to `fault`. Whether anything is.
static int fault_of(int fd, char *fault, size_t room, int *is_main) {
  const char *trigger = getenv("FAULT");
  int at = trigger ? (int)syscall(SYS_openat, AT_FDCWD, trigger, O_RDONLY) : -1;
  if (at < 0) return 0;
  long n = syscall(SYS_read, at, fault, room - 1);
  syscall(SYS_close, at);
  if (n <= 0) return 0;
  fault[n] = 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  *is_main = ends_with(path, "/ledger.sqlite");
  return strstr(path, "/ledger.sqlite") != NULL;
}

static int no_write(int fd) {
  char fault[64];
  int is_main = 0, saved = errno;
  if (!fault_of(fd, fault, sizeof fault, &is_main)) return errno = saved, 0;
  if (strncmp(fault, "full", 4) == 0) return errno = ENOSPC, -1;
  if (strncmp(fault, "readonly", 8) == 0) return errno = EROFS, -1;
  errno = saved;
  return is_main && strncmp(fault, "eat", 3) == 0;
}

static int no_sync(int fd) {
  char fault[64];
  int is_main = 0, saved = errno;
  if (!fault_of(fd, fault, sizeof fault, &is_main)) return errno = saved, 0;
  if (strncmp(fault, "sync", 4) == 0) return errno = EIO, -1;
  if (strncmp(fault, "slow ", 5) == 0) usleep((useconds_t)atoi(fault + 5) * 1000);
  if (is_main && strncmp(fault, "eat", 3) == 0) {
    unlink(getenv("FAULT"));
    return errno = EIO, -1;
  }
  errno = saved;
  return 0;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *from, size_t n) {
  int fails = no_write(fd);
  return fails < 0 ? -1 : fails ? (ssize_t)n : syscall(SYS_write, fd, from, n);
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
  int fails = no_write(fd);
  return fails < 0 ? -1 : fails ? (ssize_t)n : REAL(pwrite)(fd, from, n, at);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
  int fails = no_write(fd);
  return fails < 0 ? -1 : fails ? (ssize_t)n : REAL(pwrite64)(fd, from, n, at);
}
int ftruncate(int fd, off_t length) { return no_write(fd) < 0 ? -1 : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return no_write(fd) < 0 ? -1 : REAL(ftruncate64)(fd, length); }
int fsync(int fd) { return no_sync(fd) < 0 ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return no_sync(fd) < 0 ? -1 : REAL(fdatasync)(fd); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  int done = REAL(clock_gettime)(clock, now), saved = errno;
  const char *moved = getenv("CLOCK");
  int at = clock == CLOCK_REALTIME && moved ? (int)syscall(SYS_openat, AT_FDCWD, moved, O_RDONLY) : -1;
  if (at >= 0) {
    char text[32];
    long n = syscall(SYS_read, at, text, sizeof text - 1);
    syscall(SYS_close, at);
    text[n > 0 ? n : 0] = 0;
    now->tv_sec += atol(text);
  }
  errno = saved;
  return done;
}
