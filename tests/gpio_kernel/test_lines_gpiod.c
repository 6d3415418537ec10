/*
 * The contract of gpio/lines.h, held by libgpiod and a kernel's gpio-sim. Runs
 * as the first program of a user-mode-linux guest; its argument is the
 * directory of the simulated chip in /sys.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/gpio/lines_contract.h"

#include "gpio/lines_gpiod.h"

/* The simulated interrupt comes with the guest's tick of 10 ms; edges closer
 * than that are one. */
#define EDGE_NS 12000000L

static const char *chip_directory;

static int open_attribute(unsigned int offset, const char *name, int flags)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sim_gpio%u/%s", chip_directory,
		       offset, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerrordesc_np(errno));
	return fd;
}

static void pull(struct rig *rig, unsigned int offset, int level)
{
	const char *text = level ? "pull-up" : "pull-down";
	const struct timespec pause = { .tv_nsec = EDGE_NS };
	int fd = open_attribute(offset, "pull", O_WRONLY);

	(void)rig;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	(void)nanosleep(&pause, NULL);
}

static bool level(struct rig *rig, unsigned int offset)
{
	int fd = open_attribute(offset, "value", O_RDONLY);
	char value;

	(void)rig;
	assert_int_equal(read(fd, &value, 1), 1);
	assert_int_equal(close(fd), 0);
	return value == '1';
}

static int setup(void **state)
{
	static struct rig rig = { .pull = pull,
				  .level = level,
				  .second = "pcf8574" };
	int r;

	*state = &rig;
	r = lines_gpiod_open(NULL, &rig.lines);
	if (r)
		print_message("no chip: %s\n", strerrordesc_np(-r));
	return r;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	lines_close(rig->lines);
	return 0;
}

/* Not by number, and not what is none. */
static void test_a_chip_is_found_by_its_label(void **state)
{
	struct lines *other;

	(void)state;
	assert_int_equal(lines_gpiod_open("pinctrl-bcm2711", &other), 0);
	assert_string_equal(other->ops->backend, "gpiod");
	lines_close(other);
	assert_int_equal(lines_gpiod_open("gpiochip0", &other), -ENODEV);
}

/* guest-init makes four chips and a link to the first. */
static void test_chips_are_told_apart_and_links_passed_over(void **state)
{
	struct rig *rig = *state;
	struct lines *other;
	size_t n = 0;

	for (struct lines *chip = rig->lines; chip; chip = chip->next)
		n++;
	assert_int_equal(n, 4);
	assert_null(lines_chip(rig->lines, "twin"));
	assert_int_equal(lines_gpiod_open("twin", &other), -ENOTUNIQ);
	assert_int_equal(lines_gpiod_open("GPIO22", &other), 0);
	assert_string_equal(other->label, "pinctrl-bcm2711");
	lines_close(other);
	assert_int_equal(lines_gpiod_open("pcf8574-3", &other), 0);
	assert_string_equal(other->label, "pcf8574");
	assert_non_null(lines_chip(other, "pinctrl-bcm2711"));
	lines_close(other);
}

int main(int argc, char **argv)
{
	struct CMUnitTest all[64];
	size_t n = 0;

	if (argc != 2)
		return 2;
	chip_directory = argv[1];
	for (size_t i = 0; i < lines_contract_count; i++)
		all[n++] = lines_contract[i];
	all[n++] = (struct CMUnitTest)cmocka_unit_test(
		test_a_chip_is_found_by_its_label);
	all[n++] = (struct CMUnitTest)cmocka_unit_test(
		test_chips_are_told_apart_and_links_passed_over);
	for (size_t i = 0; i < n; i++) {
		all[i].setup_func = setup;
		all[i].teardown_func = teardown;
	}
	return _cmocka_run_group_tests("lines_gpiod", all, n, NULL, NULL);
}
