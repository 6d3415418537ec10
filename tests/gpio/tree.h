/* A tree of small files in a temporary directory, as /sys has them. */
#ifndef TESTS_GPIO_TREE_H
#define TESTS_GPIO_TREE_H

#define TREE_ROOT_SIZE 40

/* Fail the test on any error. */
void tree_make(char root[TREE_ROOT_SIZE]);
void tree_remove(const char *root);
/* With the directories it needs. */
void tree_put(const char *root, const char *path, const char *text);
/* A link at path to target, both below root. */
void tree_link(const char *root, const char *path, const char *target);
/* The file's text, valid until the next call; "" if there is none. */
const char *tree_get(const char *root, const char *path);
/* A PWM chip of two channels at class/pwm/pwmchip0, of the device fe20c000.pwm, and
 * a LED called ACT. */
void tree_put_lights(const char *root);
void tree_delete(const char *root, const char *path);

#endif
