/* db_pins_demo() of pins.h: a small house on the simulated board. */
#include <errno.h>
#include <stdlib.h>

#include "db/config.h"
#include "db/pins.h"
#include "db/settings.h"

#define KEY_DONE "pins_demo"

static const struct db_pin house[] = {
	{ .name = "pump",
	  .dir = DB_PIN_OUT,
	  .line = 17,
	  .kind = DB_PIN_RELAY,
	  .label = "Garden pump",
	  .room = "Garden" },
	{ .name = "heater",
	  .dir = DB_PIN_OUT,
	  .line = 27,
	  .active_low = true,
	  .kind = DB_PIN_RELAY,
	  .label = "Heater",
	  .room = "Bathroom" },
	{ .name = "hall",
	  .dir = DB_PIN_OUT,
	  .line = 22,
	  .kind = DB_PIN_LIGHT,
	  .label = "Hall light",
	  .room = "Hall" },
	{ .name = "desk",
	  .dir = DB_PIN_OUT,
	  .line = 23,
	  .kind = DB_PIN_LIGHT,
	  .label = "Desk lamp",
	  .room = "Study" },
	{ .name = "button",
	  .dir = DB_PIN_IN,
	  .line = 24,
	  .bias = DB_PIN_UP,
	  .active_low = true,
	  .debounce_ms = 10,
	  .kind = DB_PIN_BUTTON,
	  .label = "Hall button",
	  .room = "Hall" },
	{ .name = "door",
	  .dir = DB_PIN_IN,
	  .line = 25,
	  .bias = DB_PIN_UP,
	  .debounce_ms = 20,
	  .kind = DB_PIN_CONTACT,
	  .label = "Front door",
	  .room = "Hall" },
	{ .name = "motion",
	  .dir = DB_PIN_IN,
	  .line = 16,
	  .bias = DB_PIN_DOWN,
	  .debounce_ms = 50,
	  .kind = DB_PIN_MOTION,
	  .label = "Motion",
	  .room = "Garden" },
};

static int furnish(struct db_config *config)
{
	char holder[DB_PIN_NAME_MAX + 1];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < sizeof(house) / sizeof(*house); i++)
		r = db_pins_put(config, &house[i], holder);

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

	r = db_pins_list(config, &pins, &count);
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
