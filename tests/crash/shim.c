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
// Where POWER is set, what each write to the ledger's file and its log overwrites is noted beside it, in a file that ends in
// .unsynced, until the next sync of that file: where, how many bytes, how long the file was, the bytes.
//
// The machine's time of day is moved by as many seconds as the file named by CLOCK says.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

// The path of an open file; whether there is any.
static int path_of(int fd, char *path, size_t room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, room - 1);
  path[length > 0 ? length : 0] = 0;
  return length > 0;
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
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return 0;
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

// A write and its note, or a sync and the end of the notes, are one.
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

// The notes of a file, opened; below 0 where none are taken. The lock is held until `noted`.
static int notes_of(int fd, int how) {
  char path[4096];
  if (!getenv("POWER") || !path_of(fd, path, sizeof path - 16)) return -1;
  if (!ends_with(path, "/ledger.sqlite") && !ends_with(path, "/ledger.sqlite-wal")) return -1;
  pthread_mutex_lock(&noting);
  int notes = (int)syscall(SYS_openat, AT_FDCWD, strcat(path, ".unsynced"), O_WRONLY | O_CREAT | how, 0600);
  if (notes < 0) abort();
  return notes;
}

static void noted(int notes) {
  if (notes < 0) return;
  int saved = errno;
  syscall(SYS_close, notes);
  pthread_mutex_unlock(&noting);
  errno = saved;
}

// Notes what so many bytes overwrite, or what is cut off.
static int note(int fd, off64_t at, size_t n) {
  int saved = errno, notes = notes_of(fd, O_APPEND);
  if (notes < 0) return errno = saved, -1;
  struct stat file;
  if (fstat(fd, &file) != 0) abort();
  uint64_t old = at >= file.st_size ? 0 : (uint64_t)(file.st_size - at) < n ? (uint64_t)(file.st_size - at) : n;
  char *text = malloc(24 + old);
  uint64_t head[3] = {(uint64_t)at, old, (uint64_t)file.st_size};
  memcpy(text, head, 24);
  if (syscall(SYS_pread64, fd, text + 24, old, at) != (long)old) abort();
  if (syscall(SYS_write, notes, text, 24 + old) != (long)(24 + old)) abort();
  free(text);
  errno = saved;
  return notes;
}

// A sync, and the end of the notes of what it synced.
static int synced(int fd, int (*sync)(int)) {
  int notes = notes_of(fd, 0), done = sync(fd);
  if (notes >= 0 && done == 0 && syscall(SYS_ftruncate, notes, 0) != 0) abort();
  return noted(notes), done;
}

ssize_t write(int fd, const void *from, size_t n) {
  int fails = no_write(fd);
  return fails < 0 ? -1 : fails ? (ssize_t)n : syscall(SYS_write, fd, from, n);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
  int fails = no_write(fd);
  if (fails) return fails < 0 ? -1 : (ssize_t)n;
  int notes = note(fd, at, n);
  ssize_t done = REAL(pwrite64)(fd, from, n, at);
  return noted(notes), done;
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) { return pwrite64(fd, from, n, at); }
int ftruncate64(int fd, off64_t length) {
  if (no_write(fd) < 0) return -1;
  int notes = note(fd, length, SIZE_MAX);
  int done = REAL(ftruncate64)(fd, length);
  return noted(notes), done;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fsync(int fd) { return no_sync(fd) < 0 ? -1 : synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return no_sync(fd) < 0 ? -1 : synced(fd, REAL(fdatasync)); }

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
