// Makes every flush take as long as BENCH_FLUSH_MS says: what is left of it after the disk's own is slept.
// Preloaded into the bench, the service and PostgreSQL, all of which flush through these two.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int flush(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *wanted = getenv("BENCH_FLUSH_MS");
    double begun = now();
    int result = real(file);
    double rest = (wanted ? atof(wanted) / 1e3 : 0) - (now() - begun);
    if (rest > 0) {
        struct timespec pause = {(time_t)rest, (long)((rest - (double)(time_t)rest) * 1e9)};
        nanosleep(&pause, NULL);
    }
    return result;
}

int fsync(int file) { return flush("fsync", file); }
int fdatasync(int file) { return flush("fdatasync", file); }
