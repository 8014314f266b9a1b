/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of zinitd. What the options do is main.c's matter.
 */
#pragma once

#include "paths.h"

G_BEGIN_DECLS

typedef struct {
  ZinitScope scope;
  char *address; /* D-Bus address; NULL = the scope's bus */
  gboolean no_bus;
  char *config_dir; /* each NULL = as paths.h says */
  char *runtime_dir;
  char *socket;
  char *log_level;    /* NULL = the default */
  char *check_config; /* file or folder to judge, then exit */
  char *check_state;
  char *check_fds;
  char *at; /* goes with check_state: ms since 1970, or "now" */
  gboolean json;
  gboolean version;
} ZinitOptions;

/* Strict: an unknown option, an argument, or options that exclude each other are an error. */
gboolean zinit_options_parse (ZinitOptions *options, int *argc, char ***argv, GError **error);
void zinit_options_clear (ZinitOptions *options);
/* The address of the bus to go to: --address, else the environment's, else the usual one of the scope. Never
 * starts a bus. Transfer full. */
char *zinit_options_get_address (const ZinitOptions *options);

G_END_DECLS
