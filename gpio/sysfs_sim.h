/*
 * A /sys for the simulated board: a tree of files with a DS18B20, a BME280, the
 * processor's temperature, what a Raspberry Pi's firmware tells, a PWM chip of four
 * channels (device "sim.pwm"), a LED ("ACT") and a device tree that has I2C switched
 * on. Its values change by writing the files.
 */
#ifndef GPIO_SYSFS_SIM_H
#define GPIO_SYSFS_SIM_H

/* Make what is not there yet, in this directory. Returns 0 or a negative errno. */
int sysfs_sim_make(const char *root);

#endif
