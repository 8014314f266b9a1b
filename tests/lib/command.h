/* SPDX-License-Identifier: Apache-2.0
 *
 * Running the command `zinit` against a test's daemon.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "harness.h"

G_BEGIN_DECLS

typedef struct {
  int code; /* exit code; 128 + signal when it was killed */
  char *out;
  char *err;
} CommandResult;

void command_result_free (CommandResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CommandResult, command_result_free)

/* Runs it on the bus with @format's words, as a shell would split them, to its end. Transfer full. */
CommandResult *command_run (Harness *harness, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* The same with @words alone, so that the test says where the daemon is. */
CommandResult *command_run_plain (Harness *harness, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Runs it with --json; it must end with @code and print one JSON document. Transfer full. */
JsonNode *command_run_json (Harness *harness, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* All that command_run(), and command_run_plain(), printed on both outputs; it must end with @code. Transfer
 * full. */
char *command_print (Harness *harness, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);
char *command_print_plain (Harness *harness, int code, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* Fail the test with the whole text unless @part is in it, or if it is. */
void command_assert_has (const char *text, const char *part);
void command_assert_lacks (const char *text, const char *part);
/* Starts it and leaves it running; its output goes to the file @name of the run's folder. */
GPid command_start (Harness *harness, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Fails the test unless it ended with @code, showing what it printed. */
void command_check (const CommandResult *result, int code);

G_END_DECLS
