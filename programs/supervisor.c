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
#include "programs/watchdog.h"

extern char **environ;

struct supervisor {
	struct loop *loop;
	struct loop_timer timer; /* until the next start, or the end of after */
	struct supervisor_options options;
	struct watchdog *watchdog; /* NULL: none */
	pid_t pid; /* 0: not running */
	pid_t after; /* the second program; 0: not running */
	uint64_t started; /* clock_ms() */
	uint64_t delay; /* before the next start but one */
};

/* A plain child: our own mask and ignored signals are our own business. Returns 0
 * or a negative errno. */
static int spawn(char *const *argv, char *const *environment,
		 const posix_spawn_file_actions_t *actions, pid_t *out)
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
	r = posix_spawn(out, argv[0], actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	if (r)
		*out = 0;

	return -r;
}

static int spawn_child(struct supervisor *supervisor)
{
	posix_spawn_file_actions_t actions;
	char **environment = NULL;
	int r;

	r = -posix_spawn_file_actions_init(&actions);
	if (r)
		return r;
	if (supervisor->watchdog) {
		environment = watchdog_environment(supervisor->watchdog);
		r = environment
			    ? watchdog_hand_over(supervisor->watchdog, &actions)
			    : -ENOMEM;
	}
	if (!r)
		r = spawn(supervisor->options.argv,
			  environment ? environment : environ, &actions,
			  &supervisor->pid);
	free(environment);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return r;
	supervisor->started = clock_ms();
	if (supervisor->watchdog)
		watchdog_of(supervisor->watchdog, supervisor->pid);

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
	int r;

	if (supervisor->after) {
		log_error(supervisor->options.name,
			  "%s is not done within %d ms: killed",
			  supervisor->options.after[0], SUPERVISOR_AFTER_MS);
		kill(supervisor->after, SIGKILL);
		return;
	}
	r = spawn_child(supervisor);
	if (r) {
		log_error(supervisor->options.name, "%s: cannot be started: %s",
			  supervisor->options.argv[0], strerrordesc_np(-r));
		start_later(supervisor);
	}
}

static void on_silence(void *arg)
{
	struct supervisor *supervisor = arg;

	log_error(supervisor->options.name,
		  "has said nothing for %u ms, it hangs: killed",
		  supervisor->options.watchdog_ms);
	kill(supervisor->pid, SIGKILL);
}

struct supervisor *supervisor_new(struct loop *loop,
				  const struct supervisor_options *options)
{
	struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
	int r = 0;

	if (!supervisor)
		return NULL;
	supervisor->loop = loop;
	supervisor->options = *options;
	list_init(&supervisor->timer.link);
	supervisor->timer.fn = on_timer;
	if (options->watchdog_ms) {
		supervisor->watchdog = watchdog_new(loop, options->watchdog_ms,
						    on_silence, supervisor);
		if (!supervisor->watchdog)
			r = -errno;
	}
	if (!r)
		r = spawn_child(supervisor);
	if (r) {
		watchdog_free(supervisor->watchdog);
		free(supervisor);
		errno = -r;
		return NULL;
	}

	return supervisor;
}

static void log_end(const struct supervisor *supervisor, int status)
{
	if (WIFSIGNALED(status))
		log_warn(supervisor->options.name,
			 "killed by signal %d (%s); starting it again in"
			 " %llu ms",
			 WTERMSIG(status), sigabbrev_np(WTERMSIG(status)),
			 (unsigned long long)supervisor->delay);
	else
		log_warn(supervisor->options.name,
			 "ended with status %d; starting it again in %llu ms",
			 WEXITSTATUS(status),
			 (unsigned long long)supervisor->delay);
}

/* Put in order what it left. Returns 0 or a negative errno, also when there is
 * nothing to be done. */
static int begin_after(struct supervisor *supervisor)
{
	int r;

	if (!supervisor->options.after)
		return -ENOENT;
	r = spawn(supervisor->options.after, environ, NULL, &supervisor->after);
	if (r)
		log_error(supervisor->options.name,
			  "%s: cannot be started after it: %s",
			  supervisor->options.after[0], strerrordesc_np(-r));

	return r;
}

static void reap_child(struct supervisor *supervisor)
{
	int status;

	if (supervisor->pid == 0 ||
	    waitpid(supervisor->pid, &status, WNOHANG) != supervisor->pid)
		return;
	supervisor->pid = 0;
	if (supervisor->watchdog)
		watchdog_of(supervisor->watchdog, 0);
	if (clock_ms() - supervisor->started >= SUPERVISOR_HEALTHY_MS)
		supervisor->delay = 0;
	log_end(supervisor, status);
	if (begin_after(supervisor))
		start_later(supervisor);
	else
		loop_timer_set(supervisor->loop, &supervisor->timer,
			       SUPERVISOR_AFTER_MS);
}

void supervisor_reap(struct supervisor *supervisor)
{
	int status;

	reap_child(supervisor);
	if (supervisor->after == 0 ||
	    waitpid(supervisor->after, &status, WNOHANG) != supervisor->after)
		return;
	supervisor->after = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_error(supervisor->options.name,
			  "%s did not put in order what it left",
			  supervisor->options.after[0]);
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

/* Wait for what puts things in order, which must not be left undone. */
static void end_after(struct supervisor *supervisor)
{
	if (supervisor->after == 0 ||
	    wait_for_end(supervisor->after, SUPERVISOR_AFTER_MS))
		return;
	kill(supervisor->after, SIGKILL);
	waitpid(supervisor->after, NULL, 0);
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	loop_timer_cancel(supervisor->loop, &supervisor->timer);
	if (supervisor->pid) {
		kill(supervisor->pid, SIGTERM);
		if (!wait_for_end(supervisor->pid, SUPERVISOR_STOP_MS)) {
			log_warn(supervisor->options.name,
				 "does not end within %d ms: killed",
				 SUPERVISOR_STOP_MS);
			kill(supervisor->pid, SIGKILL);
			waitpid(supervisor->pid, NULL, 0);
			(void)begin_after(supervisor);
		}
	}
	end_after(supervisor);
	watchdog_free(supervisor->watchdog);
	free(supervisor);
}
