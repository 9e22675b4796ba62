/* A clock that is set back by a day, $MNET_JUMP_MS after the program began; the monotonic ones go on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_function)(clockid_t, struct timespec *);

static long long began, jump_ns = -1;

static int real(clockid_t id, struct timespec *at) {
    static clock_function found;
    if (!found) found = (clock_function)dlsym(RTLD_NEXT, "clock_gettime");
    return found(id, at);
}

static long long now(void) {
    struct timespec at;
    real(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

__attribute__((constructor)) static void begin(void) {
    const char *after = getenv("MNET_JUMP_MS");
    began = now();
    if (after) jump_ns = atoll(after) * 1000000LL;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    int made = real(id, at);
    if (id == CLOCK_REALTIME && jump_ns >= 0 && now() - began >= jump_ns) at->tv_sec -= 86400;
    return made;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    at->tv_sec = exact.tv_sec;
    at->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (at) *at = exact.tv_sec;
    return exact.tv_sec;
}
