/* How the operating system schedules the plane's thread.
 *
 * Each turn of the thread is short, and people hear what waits for it, so the thread asks for real-time priority, as
 * libwebrtc does for its network and audio threads. A thread that needs most of a core would keep everything else from
 * that core; it returns to ordinary priority until its load falls. */

#define _GNU_SOURCE
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plane_internal.h"

/* Shares of a core. */
#define YIELD_ABOVE 0.7
#define RETURN_BELOW 0.5
#define CHECK_INTERVAL_S 1.0

/* sched_setattr(2) */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};
enum { RESET_ON_FORK = 1, SHORTEST_SLICE_NS = 100000 };

static int policy_now(void)
{
    return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
}

static bool ask_for_real_time(void)
{
    struct attributes attributes = {.size = sizeof attributes, .policy = SCHED_RR, .flags = RESET_ON_FORK, .priority = 1};
    return !syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/* Ordinary priority with the shortest slices: since Linux 6.12, a thread with shorter slices than the running one's takes
 * its place when it wakes. If the system refuses this, packets wait for the end of the running slice. The nice value stays
 * that of the server. */
static void take_ordinary(void)
{
    struct attributes attributes = {.size = sizeof attributes,
                                    .policy = SCHED_OTHER,
                                    .flags = RESET_ON_FORK,
                                    .nice = getpriority(PRIO_PROCESS, 0),
                                    .runtime_ns = SHORTEST_SLICE_NS};
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static double thread_cpu_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

void schedule_begin(struct schedule *schedule, double now)
{
    *schedule = (struct schedule){.checked_at = now, .cpu_s = thread_cpu_s()};
    if (policy_now() != SCHED_OTHER)
        return; /* whoever started the server has chosen */
    schedule->may_change = schedule->real_time = ask_for_real_time();
    if (!schedule->real_time)
        take_ordinary();
}

void schedule_load(struct schedule *schedule, double share)
{
    if (!schedule->may_change)
        return;
    if (schedule->real_time && share > YIELD_ABOVE) {
        take_ordinary();
        schedule->real_time = false;
    } else if (!schedule->real_time && share < RETURN_BELOW) {
        schedule->real_time = ask_for_real_time();
    }
}

void schedule_check(struct schedule *schedule, double now)
{
    if (now - schedule->checked_at < CHECK_INTERVAL_S)
        return;
    double cpu_s = thread_cpu_s();
    schedule_load(schedule, (cpu_s - schedule->cpu_s) / (now - schedule->checked_at));
    schedule->checked_at = now;
    schedule->cpu_s = cpu_s;
}
