/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a definition, and where in its text: all of it is gathered, so that a person corrects a
 * file once. Which file it is, the caller knows.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Where something stands in a text, both from 1, the column in characters; 0, 0 where nothing in the text is
 * what a problem is about. */
typedef struct {
  guint line;
  guint column;
} ZinitPlace;

typedef struct {
  ZinitPlace place;
  char *message; /* "section.key: what; what is allowed" */
} ZinitProblem;

/* An empty list of ZinitProblem *. Transfer full. */
GPtrArray *zinit_problems_new (void);
void zinit_problems_add (GPtrArray *problems, ZinitPlace place, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* In the order of the text; what stands nowhere comes last. */
void zinit_problems_sort (GPtrArray *problems);
/* All messages as one ZINIT_ERROR_INVALID_CONFIG, a line each. There has to be one. */
void zinit_problems_to_error (const GPtrArray *problems, GError **error);

/* The place of each node of a tree, by its address: of a member of a TOML table its key, of anything else its
 * value. Adding is cheap, since nearly all files are right and nobody asks. */
typedef struct {
  GArray *entries; /* of a type of its own */
  gboolean is_sorted;
} ZinitPlaces;

void zinit_places_init (ZinitPlaces *places);
void zinit_places_clear (ZinitPlaces *places);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZinitPlaces, zinit_places_clear)
void zinit_places_add (ZinitPlaces *places, JsonNode *node, guint line, guint column);
/* 0, 0 if @places or @node is NULL or the node is not there. */
ZinitPlace zinit_places_get (ZinitPlaces *places, JsonNode *node);

G_END_DECLS
