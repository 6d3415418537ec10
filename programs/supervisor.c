#include "programs/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "broker/base/loop.h"

extern char **environ;

struct supervisor {
	struct loop *loop;
	struct loop_timer timer; /* until the next start */
	const char *name;
	char *const *argv;
	pid_t pid; /* 0: not running */
	uint64_t started; /* clock_ms() */
	uint64_t delay; /* before the next start but one */
};

/* A plain child: our own mask and ignored signals are our own business. */
static int spawn(struct supervisor *supervisor)
{
	posix_spawnattr_t attributes;
	sigset_t none;
	sigset_t defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	r = posix_spawnattr_init(&attributes);
	if (r)
		return -r;
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	r = posix_spawn(&supervisor->pid, supervisor->argv[0], NULL,
			&attributes, supervisor->argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (r) {
		supervisor->pid = 0;
		return -r;
	}
	supervisor->started = clock_ms();

	return 0;
}

static void start_later(struct supervisor *supervisor)
{
	uint64_t delay = supervisor->delay;

	loop_timer_set(supervisor->loop, &supervisor->timer, delay);
	supervisor->delay = delay ? delay * 2 : SUPERVISOR_DELAY_MS;
	if (supervisor->delay > SUPERVISOR_DELAY_MAX_MS)
		supervisor->delay = SUPERVISOR_DELAY_MAX_MS;
}

static void on_timer(struct loop_timer *timer)
{
	struct supervisor *supervisor =
		list_entry(timer, struct supervisor, timer);
	int r = spawn(supervisor);

	if (r) {
		log_error(supervisor->name, "%s: cannot be started: %s",
			  supervisor->argv[0], strerrordesc_np(-r));
		start_later(supervisor);
	}
}

struct supervisor *supervisor_new(struct loop *loop, const char *name,
				  char *const argv[])
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int r;

	if (!supervisor)
		return NULL;
	supervisor->loop = loop;
	supervisor->name = name;
	supervisor->argv = argv;
	list_init(&supervisor->timer.link);
	supervisor->timer.fn = on_timer;
	r = spawn(supervisor);
	if (r) {
		free(supervisor);
		errno = -r;
		return NULL;
	}

	return supervisor;
}

static void log_end(const struct supervisor *supervisor, int status)
{
	if (WIFSIGNALED(status))
		log_warn(supervisor->name,
			 "killed by signal %d (%s); starting it again in"
			 " %llu ms",
			 WTERMSIG(status), sigabbrev_np(WTERMSIG(status)),
			 (unsigned long long)supervisor->delay);
	else
		log_warn(supervisor->name,
			 "ended with status %d; starting it again in %llu ms",
			 WEXITSTATUS(status),
			 (unsigned long long)supervisor->delay);
}

void supervisor_reap(struct supervisor *supervisor)
{
	int status;

	if (supervisor->pid == 0 ||
	    waitpid(supervisor->pid, &status, WNOHANG) != supervisor->pid)
		return;
	supervisor->pid = 0;
	if (clock_ms() - supervisor->started >= SUPERVISOR_HEALTHY_MS)
		supervisor->delay = 0;
	log_end(supervisor, status);
	start_later(supervisor);
}

pid_t supervisor_pid(const struct supervisor *supervisor)
{
	return supervisor->pid;
}

/* True once the child has ended and been waited for. */
static bool wait_for_end(pid_t pid, uint64_t timeout)
{
	uint64_t deadline = clock_ms() + timeout;
	struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool done = waitpid(pid, NULL, WNOHANG) == pid;
	uint64_t now;

	while (!done && (now = clock_ms()) < deadline) {
		/* Without a pidfd (a kernel before 5.3): look every 10 ms. */
		poll(&ended, 1, ended.fd >= 0 ? (int)(deadline - now) : 10);
		done = waitpid(pid, NULL, WNOHANG) == pid;
	}
	if (ended.fd >= 0)
		close(ended.fd);

	return done;
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	loop_timer_cancel(supervisor->loop, &supervisor->timer);
	if (supervisor->pid) {
		kill(supervisor->pid, SIGTERM);
		if (!wait_for_end(supervisor->pid, SUPERVISOR_STOP_MS)) {
			log_warn(supervisor->name,
				 "does not end within %d ms: killed",
				 SUPERVISOR_STOP_MS);
			kill(supervisor->pid, SIGKILL);
			waitpid(supervisor->pid, NULL, 0);
		}
	}
	free(supervisor);
}
