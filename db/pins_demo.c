/* db_pins_demo() of pins.h: a small house on the simulated board. */
#include <errno.h>
#include <stdlib.h>

#include "db/config.h"
#include "db/pins.h"
#include "db/settings.h"

#define KEY_DONE "pins_demo"
#define KEY_DEVICES "devices" /* as web/device_table.h keeps them */

/* name, line, and what else gpio/pins.h asks for or allows. */
#define PIN(name, line, rest)                                                  \
	{                                                                      \
		name, "",                                                      \
			"{\"name\":\"" name "\",\"line\":" #line "," rest "}", \
			"", line                                               \
	}
#define OUT(kind) "\"dir\":\"out\",\"kind\":\"" kind "\","
#define IN(kind) "\"dir\":\"in\",\"kind\":\"" kind "\","
#define AT(label, room) "\"label\":\"" label "\",\"room\":\"" room "\""
#define LOW "\"active_low\":true,"

static const struct db_pin house[] = {
	PIN("pump", 17, OUT("relay") AT("Garden pump", "Garden")),
	PIN("heater", 27, OUT("relay") LOW AT("Heater", "Bathroom")),
	PIN("hall", 22, OUT("light") AT("Hall light", "Hall")),
	PIN("desk", 23, OUT("light") AT("Desk lamp", "Study")),
	PIN("button", 24,
	    IN("button") LOW "\"debounce_ms\":10,"
			     "\"target\":\"hall\",\"mode\":\"momentary\"," AT(
				     "Hall button", "Hall")),
	PIN("door", 25,
	    IN("contact") "\"debounce_ms\":20," AT("Front door", "Hall")),
	PIN("motion", 16,
	    IN("motion") "\"bias\":\"down\",\"debounce_ms\":50," AT("Motion",
								    "Garden")),
};

/* On what gpio/sysfs_sim.h has. */
static const char devices[] =
	"[{\"name\":\"cellar\",\"kind\":\"ds18b20\",\"label\":\"Cellar\","
	"\"room\":\"Garden\",\"source\":\"28-00000a51b0a7\","
	"\"interval\":10},"
	"{\"name\":\"shelf\",\"kind\":\"light\",\"label\":\"Shelf\","
	"\"room\":\"Study\",\"transition\":0.4,"
	"\"outputs\":\"pwm:sim.pwm:0 pwm:sim.pwm:1 pwm:sim.pwm:2\"}]";

static int furnish(struct db_config *config)
{
	char holder[DB_PIN_NAME_MAX + 1];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(house) / sizeof(*house); i++)
		r = db_pins_put(config, &house[i], holder);

	if (r >= 0)
		r = db_settings_set(config, KEY_DEVICES, devices);

	return r < 0 ? r : db_settings_set(config, KEY_DONE, "1");
}

/* Whoever has removed them all once does not want them back. */
static int wanted(struct db_config *config)
{
	struct db_pin *pins;
	size_t count;
	char *done;
	int r;

	r = db_settings_get(config, KEY_DONE, &done);
	if (!r) {
		free(done);
		return 0;
	}
	if (r != -ENOENT)
		return r;

	r = db_pins_list(config, "", &pins, &count);
	if (r)
		return r;
	free(pins);

	return count == 0;
}

int db_pins_demo(struct db_config *config)
{
	int r = wanted(config);
	int end;

	if (r <= 0)
		return r;
	r = db_config_begin(config);
	if (r)
		return r;
	r = furnish(config);
	end = db_config_end(config, r == 0);

	return r ? r : end;
}
