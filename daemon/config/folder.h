/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of service definitions: reading all of it, each file for itself, and writing or putting aside
 * one file. It judges each definition and names them uniquely; how they depend on each other is not its
 * matter.
 */
#pragma once

#include "config/format.h"

G_BEGIN_DECLS

typedef struct {
  char *path; /* of the file */
  ZinitDefinition *definition;
  /* For the reader of the set: it is in a cycle, and this one goes on instead (owned; NULL = none) */
  gboolean is_refused;
  ZinitDefinition *older;
} ZinitConfigEntry;

typedef struct {
  char *path; /* as the file system has it, maybe not UTF-8; the others are */
  char *name; /* of the service the file is about as far as it is known: from the file if it parsed, else its
                 stem; "" when the folder itself is at fault */
  char *message; /* "PATH:LINE:COLUMN: section.key: what; what is allowed"; starts with the path */
} ZinitConfigError;

typedef struct {
  GPtrArray *entries; /* ZinitConfigEntry *, sorted by service name bytewise */
  GPtrArray *errors;  /* ZinitConfigError *, by path and place, all of each file; at most
                         ZINIT_MAX_CONFIG_ERRORS */
  gboolean is_empty;  /* the folder has no definition file at all, good or bad, or is not there itself, as
                         while something is not mounted; one that cannot be read is not empty */
  int reason;         /* an errno that may pass, why not all could be read; 0 = there was none */
} ZinitConfigSet;

void zinit_config_set_free (ZinitConfigSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZinitConfigSet, zinit_config_set_free)

/* Adds an error about the file @path as a whole, @format without the path; none once there are
 * ZINIT_MAX_CONFIG_ERRORS. */
void zinit_config_set_add_error (ZinitConfigSet *set, const char *path, const char *name, const char *format,
                                 ...) G_GNUC_PRINTF (4, 5);

/* Reads NAME.toml and NAME.json in @directory (not below; names that begin with '.' and any other ending are
 * passed over). Never fails as a whole: a folder that is not there is an empty set without an error; what
 * cannot be opened or read is an entry in errors. Refuses what is no regular file, over
 * ZINIT_MAX_DEFINITION_BYTES, not UTF-8 or holds a NUL; never blocks on a FIFO or device. A name defined
 * twice keeps the first file by bytewise order of file names; the other is an error that names both. Transfer
 * full. */
ZinitConfigSet *zinit_config_read_folder (const char *directory);
/* Reads one file as zinit_config_read_folder() does, whatever its folder and its name: one entry, or errors.
 * Transfer full. */
ZinitConfigSet *zinit_config_read_file (const char *path);

/* Writes @definition as NAME.toml: own temporary in the same folder, mode 0600, fsync of file and folder,
 * rename; no link is followed. Makes the folder (0755) if there is none. With @overwrite FALSE an existing
 * file is ZINIT_ERROR_SERVICE_EXISTS. @ret_path (optional): transfer full. */
gboolean zinit_config_write (const char *directory, const ZinitDefinition *definition, gboolean overwrite,
                             char **ret_path, GError **error);
/* Renames a definition file to PATH.removed (replacing an older one), so that it is not read again and not
 * lost. A file that is gone already is success. */
gboolean zinit_config_rename_aside (const char *path, GError **error);

G_END_DECLS
