/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes JSON (RFC 8259) text from strings and D-Bus values. Strings are escaped here because json-glib 1.6
 * writes some control characters raw, and numbers keep all 64 bits.
 *
 * What `--json` prints; one document, or one object a line where said. Keys that come from D-Bus properties
 * are the property's name in lower case with underscores (RestartCount → restart_count); an object gains keys
 * when the contract grows and never changes the meaning of one. Times are µs since 1970 (0 = never),
 * durations ms, unless the key ends in another unit.
 *
 * - list [NAME…], status NAME…: array of services, sorted by name for list: every property of
 *   org.zinit.Service; last_exit is {"kind": "none|exited|killed", "value": n}, failure_reason {"type": …}
 *   or null
 * - status: object: every property of org.zinit.Manager; config_errors is an array of {"file", "service",
 * "message"}
 * - start, stop, restart, wait: array of {"service", "ok", "state", "sub_state", "pid", "failure_reason",
 * "error"}; error is null or {"name": D-Bus error name or null, "message"}
 * - kill, remove: array of {"service", "ok", "error"}
 * - why: array of {"kind", "service", "state", "sub_state", "depth", "is_root", "text"}: the service itself
 * (kind null, with "help": commands to type), then depth first what holds it, what holds that, …; state is
 * "unknown" when there is no such service
 * - tree: array of {"name", "state", "requires", "after", "wants", "conflicts"}: the graph itself
 * - logs, logs -f: one object a line: {"service", "time_usec", "stream", "text"}
 * - watch: one object a line: {"service", "old", "new", "sequence", "time_usec", …details of the signal};
 *   {"missed": n} where n transitions did not arrive; {"service", "sub_state", "time_usec"} where the
 * sub-state alone has changed
 * - add: {"service", "path"}
 * - reload: {"added", "changed", "removed", "errors": [{"file", "message"}]}
 * - config: the definition: {section: {key: value}}
 * - check: {"services": [{"name", "path", "definition"}], "errors": [{"path", "message"}]}; of a folder also
 * "missing":
 *   [{"service", "kind", "missing"}], the services that no file of it defines; kind is the option that names
 *   them, requires or on_failure
 * - stats: array of {"service", "cpu_usec", "memory_bytes", "processes": [[pid, name]], …}
 * - prepare-restart: {"state_path", "fds_path"}
 * - shutdown, reexec: {"ok": true}
 *
 * Errors that end a command are text on standard error as without --json.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Begins the next element of an array: a comma if it is not the first. */
void zinit_json_next (GString *json);
/* The same for a member of an object, with its key and colon. */
void zinit_json_key (GString *json, const char *key);
/* A string with its quotes; bytes that are no UTF-8 become U+FFFD. NULL is null. */
void zinit_json_string (GString *json, const char *text);
void zinit_json_strv (GString *json, const char *const *strings);
/* Any D-Bus value: dictionaries with string keys are objects, arrays and tuples arrays, variants their
 * content. */
void zinit_json_value (GString *json, GVariant *value);
/* Members of an object from properties a{sv}: keys in snake_case, last_exit and failure_reason as described.
 */
void zinit_json_properties (GString *json, GVariant *properties);
/* "RestartDelay" → "restart_delay". Transfer full. */
char *zinit_json_snake_case (const char *name);
/* Prints @json and a line feed on standard output; frees it. */
void zinit_json_print (GString *json);

G_END_DECLS
