#include "gpio/chips_gpiod.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How well a chip fits, higher is better; 0: not at all. */
static int chip_score(const struct lines *lines, const char *wanted)
{
	static const char *const header[] = {
		"pinctrl-bcm2835",
		"pinctrl-bcm2711",
		"pinctrl-rp1",
	};
	const struct real_chip *real =
		(const struct real_chip *)(const void *)lines;

	if (wanted && strcmp(lines->label, wanted) == 0)
		return 2;
	if (wanted)
		return gpiod_chip_get_line_offset_from_name(real->chip,
							    wanted) >= 0;

	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		if (strcmp(lines->label, header[i]) == 0)
			return 3;
	if (strncmp(lines->label, "pinctrl-", 8) == 0)
		return 2;
	return gpiod_chip_get_line_offset_from_name(real->chip, "GPIO17") >= 0;
}

/* A link such as Pi OS's gpiochip4 names a chip that is found anyway. */
static bool is_chip_node(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) &&
	       gpiod_is_gpiochip_device(path);
}

static bool is_open(const struct lines *chips, const char *node)
{
	for (; chips; chips = chips->next)
		if (strcmp(((const struct real_chip *)(const void *)chips)
				   ->node,
			   node) == 0)
			return true;
	return false;
}

/* Returns 0 also when it is none, or open already. */
static int add_chip(struct lines **chips, const char *node)
{
	char path[sizeof("/dev/") + NAME_MAX];
	struct lines **last = chips;
	struct gpiod_chip *chip;
	int r;

	(void)snprintf(path, sizeof(path), "/dev/%s", node);
	if (strlen(node) >= LINES_NAME_SIZE || is_open(*chips, node) ||
	    !is_chip_node(path))
		return 0;

	errno = 0;
	chip = gpiod_chip_open(path);
	if (!chip)
		return errno ? -errno : -EIO;
	while (*last)
		last = &(*last)->next;
	r = real_chip_new(chip, node, last);
	if (r)
		gpiod_chip_close(chip);
	return r;
}

/* All chips that are not in the list yet are put behind it. Returns 0, or why
 * one of them could not be. */
static int add_chips(struct lines **chips)
{
	DIR *dir = opendir("/dev");
	struct dirent *entry;
	int failed = 0;

	if (!dir)
		return -errno;

	/* One thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((entry = readdir(dir))) {
		int r = 0;

		if (strncmp(entry->d_name, "gpiochip", 8) == 0)
			r = add_chip(chips, entry->d_name);
		if (r)
			failed = r;
	}
	(void)closedir(dir);
	return failed;
}

void chips_gpiod_rescan(struct lines *lines)
{
	/* What cannot be opened is not there. */
	(void)add_chips(&lines);
}

/* Returns where the best one is linked in, or NULL. */
static struct lines **find_best(struct lines **chips, const char *wanted)
{
	struct lines **found = NULL;
	int best = 0;

	for (struct lines **at = chips; *at; at = &(*at)->next) {
		int score = chip_score(*at, wanted);

		if (score > best) {
			best = score;
			found = at;
		}
	}
	return found;
}

static bool is_twice(const struct lines *first, const char *label)
{
	const struct lines *other = first->next;

	if (strcmp(first->label, label) != 0)
		return false;
	while (other && strcmp(other->label, label) != 0)
		other = other->next;
	return other;
}

int lines_gpiod_open(const char *label, struct lines **out)
{
	struct lines *chips = NULL;
	struct lines *first;
	struct lines **at;
	int r = add_chips(&chips);

	at = find_best(&chips, label);
	if (!at) {
		lines_close(chips);
		return r ? r : -ENODEV;
	}
	first = *at;
	*at = first->next;
	first->next = chips;
	if (label && is_twice(first, label)) {
		lines_close(first);
		return -ENOTUNIQ;
	}
	*out = first;
	return 0;
}
