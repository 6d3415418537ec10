#include "gpio/sources.h"

#include <stdio.h>
#include <string.h>

#include "gpio/devices.h"
#include "gpio/sysfs.h"

#define IIO_DEVICES "bus/iio/devices"

struct list {
	const char *sysfs;
	json_t *json;
	bool failed;
	char device[64]; /* whose channels */
	char name[SYSFS_TEXT_SIZE];
};

static void add(struct list *list, enum device_kind kind, const char *source)
{
	json_t *entry = json_object();
	int bad = 0;

	if (json_array_size(list->json) == SOURCES_MAX) {
		json_decref(entry);
		return;
	}
	bad |= json_object_set_new(entry, "kind",
				   json_string(device_kind_text(kind)));
	bad |= json_object_set_new(entry, "source", json_string(source));
	if (bad || json_array_append(list->json, entry))
		list->failed = true;
	json_decref(entry);
}

static bool on_w1(const char *entry, void *arg)
{
	add(arg, DEVICE_DS18B20, entry);
	return false;
}

/* in_temp_input and in_temp_raw: one channel. */
static bool on_channel(const char *entry, void *arg)
{
	struct list *list = arg;
	char source[DEVICE_SOURCE_MAX + 1];
	char path[SYSFS_PATH_SIZE];
	const char *end = strrchr(entry, '_');
	bool raw = strcmp(end, "_raw") == 0;
	int len;

	if (!raw && strcmp(end, "_input") != 0)
		return false;
	(void)snprintf(path, sizeof(path), IIO_DEVICES "/%s/%.*s_input",
		       list->device, (int)(end - entry), entry);
	if (raw && sysfs_there(list->sysfs, path))
		return false;
	len = snprintf(source, sizeof(source), "%.64s/%.*s", list->name,
		       (int)(end - entry), entry);
	if (len > 0 && (size_t)len < sizeof(source))
		add(list, DEVICE_IIO, source);
	return false;
}

static bool on_iio(const char *entry, void *arg)
{
	struct list *list = arg;
	char path[SYSFS_PATH_SIZE];

	if (sysfs_read(list->sysfs, list->name, IIO_DEVICES "/%s/name", entry))
		return false;
	(void)snprintf(list->device, sizeof(list->device), "%s", entry);
	(void)snprintf(path, sizeof(path), IIO_DEVICES "/%s", entry);
	(void)sysfs_each(list->sysfs, path, "in_", on_channel, list);
	return false;
}

static bool on_hwmon(const char *entry, void *arg)
{
	struct list *list = arg;
	char name[SYSFS_TEXT_SIZE];

	if (sysfs_read(list->sysfs, name, "class/hwmon/%s/name", entry) ||
	    strcmp(name, "rpi_volt") != 0)
		return false;
	add(list, DEVICE_UNDER_VOLTAGE, "");
	return true;
}

static bool on_pwm(const char *entry, void *arg)
{
	struct list *list = arg;
	char source[DEVICE_SOURCE_MAX + 1];
	char path[SYSFS_PATH_SIZE];
	double count;

	(void)snprintf(path, sizeof(path), "class/pwm/%s", entry);
	if (sysfs_device(list->sysfs, list->name, path) ||
	    sysfs_number(list->sysfs, &count, "class/pwm/%s/npwm", entry))
		return false;
	for (unsigned int i = 0; i < count && i < SOURCES_MAX; i++) {
		(void)snprintf(source, sizeof(source), "pwm:%.64s:%u",
			       list->name, i);
		add(list, DEVICE_LIGHT, source);
	}
	return false;
}

static bool on_led(const char *entry, void *arg)
{
	char source[DEVICE_SOURCE_MAX + 1];

	(void)snprintf(source, sizeof(source), "led:%.64s", entry);
	add(arg, DEVICE_LIGHT, source);
	return false;
}

json_t *sources_list(const char *sysfs)
{
	struct list list = { .sysfs = sysfs, .json = json_array() };

	if (!list.json)
		return NULL;
	if (sysfs_there(sysfs, "class/thermal/thermal_zone0/temp"))
		add(&list, DEVICE_CPU_TEMPERATURE, "");
	if (sysfs_there(sysfs,
			"devices/platform/soc/soc:firmware/get_throttled")) {
		add(&list, DEVICE_UNDER_VOLTAGE, "");
		add(&list, DEVICE_THROTTLED, "");
	} else {
		(void)sysfs_each(sysfs, "class/hwmon", "hwmon", on_hwmon,
				 &list);
	}
	(void)sysfs_each(sysfs, "bus/w1/devices", "28-", on_w1, &list);
	(void)sysfs_each(sysfs, IIO_DEVICES, "iio:device", on_iio, &list);
	(void)sysfs_each(sysfs, "class/pwm", "pwmchip", on_pwm, &list);
	(void)sysfs_each(sysfs, "class/leds", "", on_led, &list);
	if (list.failed) {
		json_decref(list.json);
		return NULL;
	}
	return list.json;
}
