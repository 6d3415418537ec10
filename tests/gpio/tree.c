#include "tests/gpio/tree.h"

#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 512

void tree_make(char root[TREE_ROOT_SIZE])
{
	(void)snprintf(root, TREE_ROOT_SIZE, "/tmp/test_sysfs.XXXXXX");
	if (!mkdtemp(root))
		abort();
}

static int unlink_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_remove(const char *root)
{
	(void)nftw(root, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void whole(char out[PATH_SIZE], const char *root, const char *path)
{
	int len = snprintf(out, PATH_SIZE, "%s/%s", root, path);

	assert(len > 0 && len < PATH_SIZE);
	for (char *c = out + strlen(root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		if (mkdir(out, 0700) && errno != EEXIST)
			abort();
		*c = '/';
	}
}

void tree_put(const char *root, const char *path, const char *text)
{
	char name[PATH_SIZE];
	FILE *file;

	whole(name, root, path);
	file = fopen(name, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

void tree_link(const char *root, const char *path, const char *target)
{
	char name[PATH_SIZE];
	char to[PATH_SIZE];

	whole(name, root, path);
	whole(to, root, target);
	if (symlink(to, name))
		abort();
}

const char *tree_get(const char *root, const char *path)
{
	static char text[256];
	char name[PATH_SIZE];
	FILE *file;
	size_t n;

	whole(name, root, path);
	file = fopen(name, "r");
	if (!file)
		return "";
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	(void)fclose(file);
	return text;
}

void tree_delete(const char *root, const char *path)
{
	char name[PATH_SIZE];

	whole(name, root, path);
	(void)unlink(name);
}

#define PWM_DEVICE "devices/platform/soc/fe20c000.pwm/pwm/pwmchip0"

void tree_put_lights(const char *root)
{
	static const char *const files[] = { "period", "duty_cycle", "enable" };
	char path[PATH_SIZE];

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int k = 0; k < 3; k++) {
			(void)snprintf(path, sizeof(path),
				       PWM_DEVICE "/pwm%u/%s", i, files[k]);
			tree_put(root, path, "0\n");
		}
		(void)snprintf(path, sizeof(path), PWM_DEVICE "/pwm%u/polarity",
			       i);
		tree_put(root, path, "normal\n");
	}
	tree_put(root, PWM_DEVICE "/npwm", "2\n");
	tree_put(root, PWM_DEVICE "/export", "");
	tree_link(root, "class/pwm/pwmchip0", PWM_DEVICE);
	tree_put(root, "class/leds/ACT/max_brightness", "255\n");
	tree_put(root, "class/leds/ACT/brightness", "0\n");
	tree_put(root, "class/leds/ACT/trigger", "mmc0\n");
}
