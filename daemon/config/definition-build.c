/* SPDX-License-Identifier: Apache-2.0
 *
 * The one builder of definitions: walks a tree of JsonNodes, whatever format it comes from, and gathers all
 * that is wrong with it. What one value may be is the schema's matter.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"

#include <string.h>

#include "config/rights.h"
#include "model/schema.h"

typedef struct {
  ZinitDefinition *definition;
  ZinitKeyRule rule;
  ZinitPlaces *places;
  gboolean has_holes;
  JsonNode *nodes[ZINIT_MAX_OPTIONS]; /* of each row of the schema; NULL = not given */
  guint64 refused;                    /* a bit for each row whose value is not in the definition */
  guint64 meant;                      /* a bit for each row that an unknown key stands for */
  JsonNode *root;
  GPtrArray *problems;
} Build;

/* NULL when @node is not a string. */
static const char *
text_of (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* What @node is, for messages; static. */
static const char *
type_name (JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    return "a table";
  if (JSON_NODE_HOLDS_ARRAY (node))
    return "a list";
  if (JSON_NODE_HOLDS_NULL (node))
    return "null";
  if (text_of (node) != NULL)
    return "a string";
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return "true or false";
  return json_node_get_value_type (node) == G_TYPE_INT64 ? "a number"
                                                         : "a number with a fraction or exponent";
}

/* All sections, or all keys of @section, for people. Transfer full. */
static char *
list_known (const char *section)
{
  GString *known = g_string_new (NULL);
  const char *last = "";

  for (gsize i = 0; i < zinit_n_options; i++) {
    const ZinitOption *option = &zinit_options[i];
    const char *word = section != NULL ? option->key : option->section;

    if ((section != NULL && strcmp (section, option->section) != 0) || strcmp (word, last) == 0)
      continue;
    g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "", word);
    last = word;
  }
  return g_string_free (known, FALSE);
}

/* What is unknown is a problem, or a warning where such are to be passed over. Frees @message. */
static void
report_unknown (Build *build, JsonNode *node, char *message)
{
  if (build->rule == ZINIT_KEYS_LAX)
    g_warning ("%s; ignored", message);
  else
    zinit_problems_add (build->problems, zinit_places_get (build->places, node), "%s", message);
  g_free (message);
}

static void
report_section (Build *build, const char *section, JsonNode *node)
{
  g_autofree char *shown = zinit_schema_quote (section);
  const char *nearest = zinit_schema_nearest (NULL, section);
  const ZinitOption *meant = zinit_schema_find_meant (NULL, section);
  g_autofree char *known = list_known (NULL);

  /* A key of ours outside of its section is likelier to be misplaced than to be a misspelt section. */
  if (!JSON_NODE_HOLDS_OBJECT (node) && meant != NULL)
    report_unknown (
        build, node,
        strcmp (meant->key, section) == 0
            ? g_strdup_printf ("key %s stands outside of its section; it is a key of [%s]", shown,
                               meant->section)
            : g_strdup_printf ("unknown key %s outside of a section; did you mean \"%s\" in [%s]?", shown,
                               meant->key, meant->section));
  else if (!JSON_NODE_HOLDS_OBJECT (node))
    report_unknown (build, node,
                    g_strdup_printf ("unknown key %s outside of a section; sections are %s", shown, known));
  else if (nearest != NULL)
    report_unknown (build, node, g_strdup_printf ("unknown section %s; did you mean [%s]?", shown, nearest));
  else
    report_unknown (build, node, g_strdup_printf ("unknown section %s; sections are %s", shown, known));
}

static void
report_key (Build *build, const char *section, const char *key, JsonNode *node)
{
  g_autofree char *shown = zinit_schema_quote (key);
  const ZinitOption *meant = zinit_schema_find_meant (section, key);
  g_autofree char *known = list_known (section);

  if (meant != NULL)
    build->meant |= G_GUINT64_CONSTANT (1) << (meant - zinit_options);
  if (meant != NULL && strcmp (meant->key, key) == 0)
    report_unknown (
        build, node,
        g_strdup_printf ("unknown key %s in [%s]; it is a key of [%s]", shown, section, meant->section));
  else if (meant != NULL && strcmp (meant->section, section) == 0)
    report_unknown (
        build, node,
        g_strdup_printf ("unknown key %s in [%s]; did you mean \"%s\"?", shown, section, meant->key));
  else if (meant != NULL)
    report_unknown (build, node,
                    g_strdup_printf ("unknown key %s in [%s]; did you mean \"%s\" in [%s]?", shown, section,
                                     meant->key, meant->section));
  else
    report_unknown (build, node,
                    g_strdup_printf ("unknown key %s in [%s]; keys are %s", shown, section, known));
}

/* What the format of the state file allows and our schema does not: a service that is restored must not be
 * lost for it. FALSE when @reason stands. */
static gboolean
is_passed_over (Build *build, const ZinitOption *option, const ZinitValue *value, const char *reason)
{
  ZinitValue used = { .kind = ZINIT_VALUE_INTEGER, .magnitude = option->maximum };

  if (build->rule != ZINIT_KEYS_LAX)
    return FALSE;
  /* The check is dropped at the end if something that it needs is missing then. */
  if (strcmp (option->section, "health") == 0 && option->type != ZINIT_TYPE_CHOICE) {
    g_warning ("%s; ignored", reason);
    return TRUE;
  }
  if (option->type != ZINIT_TYPE_NUMBER || value->kind != ZINIT_VALUE_INTEGER || value->negative)
    return FALSE;
  /* 0, where it is too small, means "none"; the smallest number allowed would be far from that. */
  if (value->magnitude < option->minimum)
    used.magnitude = option->default_number;
  g_warning ("%s; %" G_GUINT64_FORMAT " is used", reason, used.magnitude);
  return zinit_schema_set (build->definition, option, &used, NULL);
}

static void
mark_refused (Build *build, const ZinitOption *option)
{
  build->refused |= G_GUINT64_CONSTANT (1) << (option - zinit_options);
}

/* A null where something could not be read. */
static gboolean
is_hole (const Build *build, JsonNode *node)
{
  return build->has_holes && JSON_NODE_HOLDS_NULL (node);
}

/* Gives the field of @option the value; what is wrong with it is about @node. */
static void
set_value (Build *build, const ZinitOption *option, const ZinitValue *value, JsonNode *node)
{
  g_autoptr (GError) error = NULL;

  if (zinit_schema_set (build->definition, option, value, &error) ||
      is_passed_over (build, option, value, error->message))
    return;
  zinit_problems_add (build->problems, zinit_places_get (build->places, node), "%s", error->message);
  mark_refused (build, option);
}

/* As it stands in a list of @option; NULL when it may not. Transfer full. */
static char *
dup_item (const ZinitOption *option, JsonNode *item)
{
  if (option->type == ZINIT_TYPE_LIST && option->maximum > 0 && JSON_NODE_HOLDS_VALUE (item) &&
      json_node_get_value_type (item) == G_TYPE_INT64)
    return g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (item));
  return g_strdup (text_of (item));
}

static void
read_list (Build *build, const ZinitOption *option, JsonNode *node)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array = json_node_get_array (node);
  ZinitValue value = { .kind = ZINIT_VALUE_LIST };
  g_autofree char *label = NULL;
  JsonNode *culprit = node;

  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *item = json_array_get_element (array, i);
    char *text = dup_item (option, item);

    if (is_hole (build, item)) {
      mark_refused (build, option);
      return;
    }
    if (text == NULL && label == NULL) {
      value.bad_part = label = g_strdup_printf ("item %u", i + 1);
      value.type_name = type_name (item);
      culprit = item;
    }
    g_ptr_array_add (strings, text);
  }
  g_ptr_array_add (strings, NULL);
  value.strings = (const char *const *)strings->pdata;
  set_value (build, option, &value, culprit);
}

static void
read_table (Build *build, const ZinitOption *option, JsonNode *node)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  ZinitValue value = { .kind = ZINIT_VALUE_TABLE };
  g_autofree char *label = NULL;
  JsonNode *culprit = node;
  JsonObjectIter iter;
  const char *key;
  JsonNode *member;

  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &member)) {
    gboolean is_name = key[0] != '\0' && strchr (key, '=') == NULL;

    /* Without the name's '=' the text could not be taken apart again. */
    if (!is_name && option->type == ZINIT_TYPE_TABLE) {
      g_autofree char *shown = zinit_schema_quote (key);

      zinit_problems_add (build->problems, zinit_places_get (build->places, member),
                          "%s.%s: %s is not a name; one without '=' that is not empty is wanted",
                          option->section, option->key, shown);
      mark_refused (build, option);
      return;
    }
    if (is_hole (build, member)) {
      mark_refused (build, option);
      return;
    }
    if (text_of (member) == NULL && label == NULL) {
      value.bad_part = label = zinit_schema_quote (key);
      value.type_name = type_name (member);
      culprit = member;
    }
    g_ptr_array_add (strings, g_strconcat (key, "=", text_of (member), NULL));
  }
  g_ptr_array_add (strings, NULL);
  value.strings = (const char *const *)strings->pdata;
  set_value (build, option, &value, culprit);
}

static void
read_scalar (Build *build, const ZinitOption *option, JsonNode *node)
{
  ZinitValue value = { .kind = ZINIT_VALUE_OTHER, .type_name = type_name (node) };
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type == G_TYPE_STRING) {
    value.kind = ZINIT_VALUE_STRING;
    value.string = json_node_get_string (node);
  } else if (type == G_TYPE_BOOLEAN) {
    value.kind = ZINIT_VALUE_BOOLEAN;
    value.boolean = json_node_get_boolean (node);
  } else if (type == G_TYPE_INT64) {
    gint64 number = json_node_get_int (node);

    value.kind = ZINIT_VALUE_INTEGER;
    value.negative = number < 0;
    value.magnitude = number < 0 ? -(guint64)number : (guint64)number;
  }
  set_value (build, option, &value, node);
}

/* A null stands for "not given" where there may be no value at all: an optional text or signed number, and
 * all of health. For anything else the specification refuses it. */
static gboolean
may_be_null (const ZinitOption *option)
{
  return strcmp (option->section, "health") == 0 || option->type == ZINIT_TYPE_SIGNED ||
         (option->type == ZINIT_TYPE_STRING && !(option->flags & ZINIT_OPTION_REQUIRED));
}

static void
read_key (Build *build, const char *section, const char *key, JsonNode *node)
{
  const ZinitOption *option = zinit_schema_find (section, key);

  /* Read once the whole is there: zinit_definition_from_json(). */
  if (option == NULL && build->rule == ZINIT_KEYS_LAX && strcmp (key, ZINIT_SAVED_ARGV) == 0)
    return;
  if (option == NULL) {
    report_key (build, section, key, node);
    return;
  }
  if (JSON_NODE_HOLDS_NULL (node) && !build->has_holes && may_be_null (option))
    return;
  if (build->nodes[option - zinit_options] != NULL) {
    zinit_problems_add (build->problems, zinit_places_get (build->places, node),
                        "%s.%s: is given twice; once is allowed", section, key);
    return;
  }
  build->nodes[option - zinit_options] = node;
  if (is_hole (build, node))
    mark_refused (build, option);
  else if (JSON_NODE_HOLDS_ARRAY (node))
    read_list (build, option, node);
  else if (JSON_NODE_HOLDS_OBJECT (node))
    read_table (build, option, node);
  else
    read_scalar (build, option, node);
}

static void
read_section (Build *build, const char *section, JsonNode *node)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *member;

  if (!zinit_schema_has_section (section)) {
    report_section (build, section, node);
    section = zinit_schema_nearest (NULL, section);
    /* What is meant is clear enough to look at its keys as well. */
    if (section == NULL || !JSON_NODE_HOLDS_OBJECT (node) || build->rule == ZINIT_KEYS_LAX)
      return;
  } else if (JSON_NODE_HOLDS_NULL (node) && (build->has_holes || strcmp (section, "health") == 0)) {
    return;
  } else if (!JSON_NODE_HOLDS_OBJECT (node)) {
    zinit_problems_add (build->problems, zinit_places_get (build->places, node),
                        "%s: %s was given; a section with keys is wanted", section, type_name (node));
    return;
  }
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &key, &member))
    read_key (build, section, key, member);
}

/* The row of a field; by offset, since this is done for each file. */
static gsize
find_row (gsize offset)
{
  gsize i = 0;

  while (zinit_options[i].offset != offset)
    i++;
  return i;
}

#define ROW(field) find_row (G_STRUCT_OFFSET (ZinitDefinition, field))

static void
complete_delays (Build *build)
{
  ZinitDefinition *definition = build->definition;

  /* The default maximum does not limit a first delay that is given alone. */
  if (build->nodes[ROW (restart_delay_ms)] != NULL && build->nodes[ROW (restart_delay_max_ms)] == NULL)
    definition->restart_delay_max_ms = MAX (definition->restart_delay_max_ms, definition->restart_delay_ms);
  if (build->rule == ZINIT_KEYS_LAX && definition->restart_delay_max_ms < definition->restart_delay_ms) {
    g_warning ("lifecycle.restart_delay_max_ms: %" G_GUINT64_FORMAT
               " ms is below lifecycle.restart_delay_ms, which is used",
               definition->restart_delay_max_ms);
    definition->restart_delay_max_ms = definition->restart_delay_ms;
  }
}

/* A saved definition has all values, also those that were never given. */
static void
note_start_timeout (Build *build)
{
  const ZinitOption *option = zinit_schema_find ("lifecycle", "start_timeout_ms");
  ZinitDefinition *definition = build->definition;

  definition->start_timeout_is_given =
      build->nodes[option - zinit_options] != NULL &&
      (build->rule != ZINIT_KEYS_LAX || definition->start_timeout_ms != option->default_number);
}

/* Takes what zinit_schema_validate() finds. A value that was refused is not there: what follows from that is
 * no news. */
static void
report_whole (const ZinitOption *option, const char *message, gpointer data)
{
  Build *build = data;
  JsonNode *node = build->nodes[option - zinit_options];
  JsonObject *root = json_node_get_object (build->root);

  for (gsize i = 0; i < zinit_n_options; i++)
    if (node != NULL && (build->refused >> i & 1) && strcmp (zinit_options[i].section, option->section) == 0)
      return;
  if (node == NULL && build->rule == ZINIT_KEYS_STRICT && (build->meant >> (option - zinit_options) & 1))
    return;
  if (node == NULL) {
    node = json_object_get_member (root, option->section);
    if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
      return;
  }
  zinit_problems_add (build->problems, zinit_places_get (build->places, node), "%s", message);
}

static void
keep_health_message (const ZinitOption *option, const char *message, gpointer data)
{
  char **kept = data;

  if (*kept == NULL && strcmp (option->section, "health") == 0)
    *kept = g_strdup (message);
}

/* Other versions know other health checks: a service that is restored must not be lost for one. */
static void
drop_foreign_health (ZinitDefinition *definition)
{
  g_autofree char *message = NULL;

  zinit_schema_validate (definition, keep_health_message, &message);
  if (message == NULL)
    return;
  g_warning ("%s; the health check of %s is ignored", message, definition->name);
  definition->health_type = ZINIT_HEALTH_NONE;
  g_clear_pointer (&definition->health_address, g_free);
  g_clear_pointer (&definition->health_url, g_free);
  g_clear_pointer (&definition->health_command, g_free);
}

static void
finish (Build *build, const char *default_name)
{
  const ZinitOption *type = &zinit_options[ROW (health_type)];
  gsize name = ROW (name);
  gboolean has_health = FALSE;

  if (build->nodes[name] == NULL && default_name != NULL) {
    const ZinitValue value = { .kind = ZINIT_VALUE_STRING, .string = default_name };

    set_value (build, &zinit_options[name], &value, NULL);
    build->nodes[name] = build->root;
  }
  complete_delays (build);
  note_start_timeout (build);
  if (build->rule == ZINIT_KEYS_LAX)
    drop_foreign_health (build->definition);
  for (gsize i = 0; i < zinit_n_options; i++)
    has_health |= build->nodes[i] != NULL && strcmp (zinit_options[i].section, "health") == 0;
  if (has_health && build->nodes[type - zinit_options] == NULL && build->rule == ZINIT_KEYS_STRICT) {
    g_autofree char *types = g_strjoinv ("\", \"", (char **)type->choices + type->minimum);
    g_autofree char *message =
        g_strdup_printf ("health.type: is missing; with a [health] section, one of \"%s\" is wanted", types);

    report_whole (type, message, build);
    mark_refused (build, type);
  }
  zinit_schema_validate (build->definition, report_whole, build);
  if (build->rule != ZINIT_KEYS_LAX)
    zinit_rights_validate (build->definition, report_whole, build);
}

ZinitDefinition *
zinit_build_definition (JsonNode *root, ZinitPlaces *places, gboolean has_holes, const char *default_name,
                        ZinitKeyRule rule, GPtrArray *problems)
{
  g_autoptr (ZinitDefinition) definition = zinit_definition_new ();
  Build build = { .definition = definition,
                  .rule = rule,
                  .places = places,
                  .has_holes = has_holes,
                  .root = root,
                  .problems = problems };
  guint n_before = problems->len;
  JsonObjectIter iter;
  const char *section;
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (root)) {
    zinit_problems_add (problems, zinit_places_get (places, root),
                        "%s was given; an object with the sections of a definition is wanted",
                        type_name (root));
    return NULL;
  }
  json_object_iter_init_ordered (&iter, json_node_get_object (root));
  while (json_object_iter_next_ordered (&iter, &section, &member))
    read_section (&build, section, member);
  finish (&build, default_name);
  return problems->len == n_before ? g_steal_pointer (&definition) : NULL;
}
