#include "gpio/board.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WARN_EEPROM "read by the bootloader to identify a HAT; leave it alone"
#define WARN_I2C "I2C bus with a fixed 1.8 kOhm pull-up; used by many HATs"
#define WARN_W1 "1-Wire bus by default, where that is switched on"
#define WARN_UART "serial console; driven by the kernel while it boots"
#define WARN_SPI "SPI bus, where that is switched on"
#define WARN_AUDIO "used by audio HATs (PCM)"

/* Indexed by line, which is the BCM number. */
static const struct board_line header[BOARD_HEADER_LINES] = {
	{ 27, true, { "ID_SDA" }, WARN_EEPROM },
	{ 28, true, { "ID_SCL" }, WARN_EEPROM },
	{ 3, true, { "SDA1" }, WARN_I2C },
	{ 5, true, { "SCL1" }, WARN_I2C },
	{ 7, true, { "GPCLK0", "1-Wire" }, WARN_W1 },
	{ 29, true, { "GPCLK1" }, NULL },
	{ 31, true, { "GPCLK2" }, NULL },
	{ 26, true, { "SPI0_CE1" }, WARN_SPI },
	{ 24, true, { "SPI0_CE0" }, WARN_SPI },
	{ 21, false, { "SPI0_MISO" }, WARN_SPI },
	{ 19, false, { "SPI0_MOSI" }, WARN_SPI },
	{ 23, false, { "SPI0_SCLK" }, WARN_SPI },
	{ 32, false, { "PWM0" }, NULL },
	{ 33, false, { "PWM1" }, NULL },
	{ 8, false, { "TXD0" }, WARN_UART },
	{ 10, false, { "RXD0" }, WARN_UART },
	{ 36, false, { "SPI1_CE2" }, NULL },
	{ 11, false, { "SPI1_CE1" }, NULL },
	{ 12, false, { "PCM_CLK", "PWM0", "SPI1_CE0" }, WARN_AUDIO },
	{ 35, false, { "PCM_FS", "PWM1", "SPI1_MISO" }, WARN_AUDIO },
	{ 38, false, { "PCM_DIN", "SPI1_MOSI", "GPCLK0" }, WARN_AUDIO },
	{ 40, false, { "PCM_DOUT", "SPI1_SCLK", "GPCLK1" }, WARN_AUDIO },
	{ 15, false, { NULL }, NULL },
	{ 16, false, { NULL }, NULL },
	{ 18, false, { NULL }, NULL },
	{ 22, false, { NULL }, NULL },
	{ 37, false, { NULL }, NULL },
	{ 13, false, { NULL }, NULL },
};

bool board_has_header(const char *label)
{
	return strcmp(label, "pinctrl-bcm2835") == 0 ||
	       strcmp(label, "pinctrl-bcm2711") == 0 ||
	       strcmp(label, "pinctrl-rp1") == 0;
}

const struct board_line *board_line(unsigned int line)
{
	return line < BOARD_HEADER_LINES ? &header[line] : NULL;
}

int board_model(const char *root, char *out, size_t size)
{
	char path[4096];
	FILE *file;
	size_t n;

	if (snprintf(path, sizeof(path), "%s/proc/device-tree/model", root) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;

	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fread(out, 1, size - 1, file);
	(void)fclose(file);
	/* The file's own NUL ends it earlier. */
	out[n] = '\0';
	return 0;
}
