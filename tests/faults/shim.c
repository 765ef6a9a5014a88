/* Stands between the program and the C library (LD_PRELOAD): makes the disk slow and the clock wrong.
 *
 * What it does, and what it counts, is in a small file that the test reads and writes while the program runs: four
 * 64-bit numbers in the machine's own order, mapped into memory here. PALABRE_SHIM_CONTROL names the file. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int64_t sync_delay_micros; /* how long a sync takes at least */
    _Atomic int64_t clock_shift_seconds; /* how far the wall clock is ahead of the machine's */
    _Atomic int64_t syncs; /* how many there were */
    _Atomic int64_t clock_reads; /* how often the shifted clock was read */
};

static struct control *control;

__attribute__((constructor)) static void open_control(void) {
    const char *path = getenv("PALABRE_SHIM_CONTROL");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        fputs("shim.c: PALABRE_SHIM_CONTROL names no file that can be mapped\n", stderr);
        abort();
    }
    close(file);
    control = memory;
}

static int slowly(long call, int file) {
    if (control) {
        int64_t micros = control->sync_delay_micros;
        control->syncs++;
        struct timespec left = {micros / 1000000, micros % 1000000 * 1000};
        while (micros > 0 && nanosleep(&left, &left) != 0 && errno == EINTR) {
        }
    }
    return (int)syscall(call, file);
}

int fsync(int file) { return slowly(SYS_fsync, file); }

int fdatasync(int file) { return slowly(SYS_fdatasync, file); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        control->clock_reads++;
        now->tv_sec += control->clock_shift_seconds;
    }
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) {
        return -1;
    }
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) {
        return (time_t)-1;
    }
    if (now) {
        *now = exact.tv_sec;
    }
    return exact.tv_sec;
}
