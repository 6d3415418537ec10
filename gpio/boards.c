#include "gpio/boards.h"

#include <string.h>

#include "gpio/board.h"

#define BCM2835 "pinctrl-bcm2835"
#define BCM2711 "pinctrl-bcm2711"
#define RP1 "pinctrl-rp1"

/* Of a board without a device tree only the chip is known. */
static const struct board generic = { "generic", "", "", 0 };
static const struct board pi = { "pi", "Raspberry Pi", BCM2835, 40 };
static const struct board pi1_rev1 = { "pi1-rev1", "Raspberry Pi 1 Rev 1",
				       BCM2835, 26 };
static const struct board pi1 = { "pi1", "Raspberry Pi 1", BCM2835, 26 };
static const struct board pi1_plus = { "pi1-plus", "Raspberry Pi 1+", BCM2835,
				       40 };
static const struct board pi2 = { "pi2", "Raspberry Pi 2", BCM2835, 40 };
static const struct board pi3 = { "pi3", "Raspberry Pi 3", BCM2835, 40 };
static const struct board pi4 = { "pi4", "Raspberry Pi 4", BCM2711, 40 };
static const struct board pi5 = { "pi5", "Raspberry Pi 5", RP1, 40 };
static const struct board zero = { "pi-zero", "Raspberry Pi Zero", BCM2835,
				   40 };
static const struct board zero2 = { "pi-zero2", "Raspberry Pi Zero 2", BCM2835,
				    40 };

/* How the device tree's model begins; a longer one stands first. */
static const struct {
	const char *model;
	const struct board *board;
} models[] = {
	{ "Raspberry Pi Model A Plus", &pi1_plus },
	{ "Raspberry Pi Model B Plus", &pi1_plus },
	{ "Raspberry Pi Model B Rev 1", &pi1_rev1 },
	{ "Raspberry Pi Model A", &pi1 },
	{ "Raspberry Pi Model B", &pi1 },
	{ "Raspberry Pi 2 ", &pi2 },
	{ "Raspberry Pi 3 ", &pi3 },
	{ "Raspberry Pi 4 ", &pi4 },
	{ "Raspberry Pi 400 ", &pi4 },
	{ "Raspberry Pi Compute Module 4", &pi4 },
	{ "Raspberry Pi 5 ", &pi5 },
	{ "Raspberry Pi 500 ", &pi5 },
	{ "Raspberry Pi Compute Module 5", &pi5 },
	{ "Raspberry Pi Zero 2", &zero2 },
	{ "Raspberry Pi Zero", &zero },
};

/* ---- what else a line can be: datasheets of the three chips -------------- */

static const char *const bcm2835[BOARD_HEADER_LINES] = {
	"SDA0",
	"SCL0",
	"SDA1",
	"SCL1",
	"GPCLK0 1-Wire",
	"GPCLK1",
	"GPCLK2",
	"SPI0_CE1",
	"SPI0_CE0",
	"SPI0_MISO",
	"SPI0_MOSI",
	"SPI0_SCLK",
	"PWM0",
	"PWM1",
	"TXD0 TXD1",
	"RXD0 RXD1",
	"SPI1_CE2 CTS0",
	"SPI1_CE1 RTS0",
	"PCM_CLK PWM0 SPI1_CE0",
	"PCM_FS PWM1 SPI1_MISO",
	"PCM_DIN SPI1_MOSI GPCLK0",
	"PCM_DOUT SPI1_SCLK GPCLK1",
	"SD1_CLK",
	"SD1_CMD",
	"SD1_DAT0",
	"SD1_DAT1",
	"SD1_DAT2",
	"SD1_DAT3",
};

static const char *const bcm2711[BOARD_HEADER_LINES] = {
	"SDA0 SDA6 TXD2 SPI3_CE0",
	"SCL0 SCL6 RXD2 SPI3_MISO",
	"SDA1 SDA3 CTS2 SPI3_MOSI",
	"SCL1 SCL3 RTS2 SPI3_SCLK",
	"GPCLK0 1-Wire SDA3 TXD3 SPI4_CE0",
	"GPCLK1 SCL3 RXD3 SPI4_MISO",
	"GPCLK2 SDA4 CTS3 SPI4_MOSI",
	"SPI0_CE1 SCL4 RTS3 SPI4_SCLK",
	"SPI0_CE0 SDA4 TXD4",
	"SPI0_MISO SCL4 RXD4",
	"SPI0_MOSI SDA5 CTS4",
	"SPI0_SCLK SCL5 RTS4",
	"PWM0 SDA5 TXD5 SPI5_CE0",
	"PWM1 SCL5 RXD5 SPI5_MISO",
	"TXD0 TXD1 CTS5 SPI5_MOSI",
	"RXD0 RXD1 RTS5 SPI5_SCLK",
	"SPI1_CE2 CTS0",
	"SPI1_CE1 RTS0",
	"PCM_CLK PWM0 SPI1_CE0 SPI6_CE0",
	"PCM_FS PWM1 SPI1_MISO SPI6_MISO",
	"PCM_DIN SPI1_MOSI GPCLK0 SPI6_MOSI",
	"PCM_DOUT SPI1_SCLK GPCLK1 SPI6_SCLK",
	"SDA6 SD1_CLK",
	"SCL6 SD1_CMD",
	"SPI3_CE1 SD1_DAT0",
	"SPI4_CE1 SD1_DAT1",
	"SPI5_CE1 SD1_DAT2",
	"SPI6_CE1 SD1_DAT3",
};

static const char *const rp1[BOARD_HEADER_LINES] = {
	"SDA0 TXD1 SPI2_CE0",
	"SCL0 RXD1 SPI2_MISO",
	"SDA1 CTS1 SPI2_MOSI",
	"SCL1 RTS1 SPI2_SCLK",
	"GPCLK0 1-Wire SDA2 TXD2 SPI3_CE0",
	"GPCLK1 SCL2 RXD2 SPI3_MISO",
	"GPCLK2 SDA3 CTS2 SPI3_MOSI",
	"SPI0_CE1 SCL3 RTS2 SPI3_SCLK",
	"SPI0_CE0 SDA0 TXD3 SPI4_CE0",
	"SPI0_MISO SCL0 RXD3 SPI4_MISO",
	"SPI0_MOSI SDA1 CTS3 SPI4_MOSI",
	"SPI0_SCLK SCL1 RTS3 SPI4_SCLK",
	"PWM0 SDA2 TXD4 SPI5_CE0",
	"PWM1 SCL2 RXD4 SPI5_MISO",
	"TXD0 PWM2 SDA3 CTS4 SPI5_MOSI",
	"RXD0 PWM3 SCL3 RTS4 SPI5_SCLK",
	"SPI1_CE2 CTS0",
	"SPI1_CE1 RTS0",
	"PCM_CLK PWM2 SPI1_CE0",
	"PCM_FS PWM3 SPI1_MISO",
	"PCM_DIN SPI1_MOSI GPCLK0",
	"PCM_DOUT SPI1_SCLK GPCLK1",
	"SDA3 SD1_CLK",
	"SCL3 SD1_CMD",
	"SPI2_CE1 SD1_DAT0",
	"SPI3_CE1 SD1_DAT1",
	"SPI5_CE1 SD1_DAT2",
	"SPI1_CE1 SD1_DAT3",
};

/* ---- what may use it already -------------------------------------------- */

static const struct {
	const char *text;
	const char *warning;
} risks[] = {
	[BOARD_FREE] = { NULL, NULL },
	[BOARD_EEPROM] = { "eeprom", "read by the bootloader to identify a "
				     "HAT; leave it alone" },
	[BOARD_I2C] = { "i2c", "I2C bus with a fixed 1.8 kOhm pull-up; used by "
			       "many HATs" },
	[BOARD_ONE_WIRE] = { "one_wire", "1-Wire bus by default, where that "
					 "is switched on" },
	[BOARD_UART] = { "uart", "serial console; driven by the kernel while "
				 "it boots" },
	[BOARD_SPI] = { "spi", "SPI bus, where that is switched on" },
	[BOARD_AUDIO] = { "audio", "used by audio HATs (PCM)" },
};

static enum board_risk risk_of(const struct board *board, unsigned int line)
{
	/* Its I2C came out at other lines, and there was no EEPROM yet. */
	if (board == &pi1_rev1 && line < 2)
		return BOARD_I2C;
	if (board == &pi1_rev1 && line == 21)
		return BOARD_FREE;
	switch (line) {
	case 0:
	case 1:
		return BOARD_EEPROM;
	case 2:
	case 3:
		return BOARD_I2C;
	case 4:
		return BOARD_ONE_WIRE;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		return BOARD_SPI;
	case 14:
	case 15:
		return BOARD_UART;
	case 18:
		/* The short header has no room for an audio HAT. */
		return board->pins == 40 ? BOARD_AUDIO : BOARD_FREE;
	case 19:
	case 20:
	case 21:
		return BOARD_AUDIO;
	default:
		return BOARD_FREE;
	}
}

const char *boards_risk_text(enum board_risk risk)
{
	return risks[risk].text;
}

/* ---- which -------------------------------------------------------------- */

static const struct board *by_label(const char *label)
{
	static const struct board *const by_chip[] = { &pi, &pi4, &pi5 };

	for (size_t i = 0; i < sizeof(by_chip) / sizeof(by_chip[0]); i++)
		if (strcmp(label, by_chip[i]->chip) == 0)
			return by_chip[i];
	return &generic;
}

const struct board *boards_find(const char *model, const char *label)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		const char *start = models[i].model;

		if (strncmp(model, start, strlen(start)) == 0)
			return strcmp(label, models[i].board->chip) == 0
				       ? models[i].board
				       : &generic;
	}
	return by_label(label);
}

const struct board *boards_of(const struct lines *lines)
{
	char model[80] = "";

	/* A simulated board is not the one that it is simulated on. */
	if (strcmp(lines->ops->backend, "sim") != 0 &&
	    board_model("/sys", model, sizeof(model)))
		model[0] = '\0';
	return boards_find(model, lines->label);
}

/* The first header had other lines where I2C and GPIO27 are now. */
static unsigned int as_today(const struct board *board, unsigned int line)
{
	if (board != &pi1_rev1)
		return line;
	switch (line) {
	case 0:
	case 1:
		return line + 2;
	case 21:
		return 27;
	case 2:
	case 3:
	case 27:
		return BOARD_HEADER_LINES;
	default:
		return line;
	}
}

static const char *functions_of(const struct board *board, unsigned int line)
{
	if (strcmp(board->chip, RP1) == 0)
		return rp1[line];
	return strcmp(board->chip, BCM2711) == 0 ? bcm2711[line]
						 : bcm2835[line];
}

bool boards_line(const struct board *board, unsigned int line,
		 struct boards_line *out)
{
	const struct board_line *known = board_line(as_today(board, line));

	if (!known || known->pin > board->pins)
		return false;

	out->pin = known->pin;
	out->pulled_up = board_line(line)->pulled_up;
	out->risk = risk_of(board, line);
	out->warning = risks[out->risk].warning;
	out->functions = functions_of(board, line);
	return true;
}
