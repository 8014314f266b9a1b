/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting a definition together from the sections and values that a format hands over. Reading a format is
 * the matter of the other files here, what one value may be that of the schema.
 */
#define G_LOG_DOMAIN "zinit-config"

#include "config/definition-build.h"
#include "model/error.h"
#include "model/limits.h"

#include <string.h>

void
zinit_build_value_clear (ZinitBuildValue *value)
{
  g_clear_pointer (&value->strings, g_ptr_array_unref);
  g_clear_pointer (&value->label, g_free);
  g_clear_pointer (&value->bad_part, g_free);
  g_clear_pointer (&value->bad_name, g_free);
}

void
zinit_build_value_begin (ZinitBuildValue *value, ZinitValueKind kind)
{
  value->value.kind = kind;
  value->strings = g_ptr_array_new_with_free_func (g_free);
}

void
zinit_build_value_add (ZinitBuildValue *value, const char *key, const char *text, const char *type_name)
{
  if (key != NULL && (key[0] == '\0' || strchr (key, '=') != NULL) && value->bad_name == NULL)
    value->bad_name = g_strdup (key);
  if (text == NULL && value->bad_part == NULL) {
    guint place = value->strings->len + 1;

    value->bad_part = key != NULL ? g_strdup (key) : g_strdup_printf ("%u", place);
    value->label = key != NULL ? zinit_schema_quote (key) : g_strdup_printf ("item %u", place);
    value->value.type_name = type_name;
  }
  g_ptr_array_add (value->strings, key != NULL ? g_strconcat (key, "=", text, NULL) : g_strdup (text));
}

void
zinit_build_value_end (ZinitBuildValue *value)
{
  g_ptr_array_add (value->strings, NULL);
  value->value.strings = (const char *const *)value->strings->pdata;
  value->value.bad_part = value->label;
}

void
zinit_build_begin (ZinitBuild *build, ZinitKeyRule rule)
{
  *build = (ZinitBuild){ .definition = zinit_definition_new (), .rule = rule };
}

void
zinit_build_clear (ZinitBuild *build)
{
  g_clear_pointer (&build->definition, zinit_definition_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (build->path); i++)
    g_clear_pointer (&build->path[i], g_free);
}

static void
set_path (ZinitBuild *build, const char *section, const char *key, const char *part)
{
  build->path[0] = g_strdup (section);
  build->path[1] = g_strdup (key);
  build->path[2] = g_strdup (part);
}

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (ZINIT_ERROR, ZINIT_ERROR_INVALID_CONFIG, format, arguments);
  va_end (arguments);
  return FALSE;
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

static gboolean
refuse_section (const char *section, const char *type_name, GError **error)
{
  g_autofree char *shown = zinit_schema_quote (section);
  const char *nearest = zinit_schema_nearest (NULL, section);
  const char *home = zinit_schema_section_of (section);
  g_autofree char *known = list_known (NULL);

  /* A key of ours outside of its section is likelier to be misplaced than to be a misspelt section. */
  if (type_name != NULL && home != NULL)
    return refuse (error, "key %s stands outside of its section; it is a key of [%s]", shown, home);
  if (type_name != NULL)
    return refuse (error, "unknown key %s outside of a section; sections are %s", shown, known);
  if (nearest != NULL)
    return refuse (error, "unknown section %s; did you mean [%s]?", shown, nearest);
  return refuse (error, "unknown section %s; sections are %s", shown, known);
}

static gboolean
refuse_key (const char *section, const char *key, GError **error)
{
  g_autofree char *shown = zinit_schema_quote (key);
  const char *nearest = zinit_schema_nearest (section, key);
  const char *home = zinit_schema_section_of (key);
  g_autofree char *known = list_known (section);

  if (home != NULL)
    return refuse (error, "unknown key %s in [%s]; it is a key of [%s]", shown, section, home);
  if (nearest != NULL)
    return refuse (error, "unknown key %s in [%s]; did you mean \"%s\"?", shown, section, nearest);
  return refuse (error, "unknown key %s in [%s]; keys are %s", shown, section, known);
}

/* An unknown word: the error that @local is, or a warning where such are to be passed over. */
static gboolean
judge_unknown (ZinitBuild *build, const char *section, const char *key, GError *local, GError **error)
{
  if (build->rule == ZINIT_KEYS_STRICT) {
    set_path (build, section, key, NULL);
    g_propagate_error (error, local);
    return FALSE;
  }
  g_warning ("%s; ignored", local->message);
  g_error_free (local);
  return TRUE;
}

gboolean
zinit_build_section (ZinitBuild *build, const char *section, const char *type_name, gboolean *ret_skip,
                     GError **error)
{
  GError *local = NULL;

  *ret_skip = !zinit_schema_has_section (section);
  if (!*ret_skip && type_name == NULL)
    return TRUE;

  if (!*ret_skip) {
    set_path (build, section, NULL, NULL);
    return refuse (error, "%s: %s was given; a section with keys is wanted", section, type_name);
  }
  refuse_section (section, type_name, &local);
  return judge_unknown (build, section, NULL, local, error);
}

/* What the format of the state file allows and our schema does not: a service that is restored must not be
 * lost for it. FALSE when @reason stands. */
static gboolean
is_passed_over (ZinitBuild *build, const ZinitOption *option, const ZinitValue *value, const GError *reason)
{
  ZinitValue used = { .kind = ZINIT_VALUE_INTEGER, .magnitude = option->maximum };

  if (build->rule != ZINIT_KEYS_LAX)
    return FALSE;
  /* The check is dropped at the end if something that it needs is missing then. */
  if (strcmp (option->section, "health") == 0 && option->type != ZINIT_TYPE_CHOICE) {
    g_warning ("%s; ignored", reason->message);
    return TRUE;
  }
  if (option->type != ZINIT_TYPE_NUMBER || value->kind != ZINIT_VALUE_INTEGER || value->negative)
    return FALSE;
  /* 0, where it is too small, means "none"; the smallest number allowed would be far from that. */
  if (value->magnitude < option->minimum)
    used.magnitude = option->default_number;
  g_warning ("%s; %" G_GUINT64_FORMAT " is used", reason->message, used.magnitude);
  return zinit_schema_set (build->definition, option, &used, NULL);
}

gboolean
zinit_build_add (ZinitBuild *build, const char *section, const char *key, const ZinitBuildValue *value,
                 GError **error)
{
  const ZinitOption *option = zinit_schema_find (section, key);
  GError *local = NULL;
  guint64 bit;

  if (option == NULL) {
    refuse_key (section, key, &local);
    return judge_unknown (build, section, key, local, error);
  }

  bit = G_GUINT64_CONSTANT (1) << (option - zinit_options);
  if (build->given & bit) {
    set_path (build, section, key, NULL);
    return refuse (error, "%s.%s: is given twice; once is allowed", section, key);
  }
  build->given |= bit;

  if (option->type == ZINIT_TYPE_TABLE && value->bad_name != NULL) {
    g_autofree char *shown = zinit_schema_quote (value->bad_name);

    set_path (build, section, key, value->bad_name);
    return refuse (error, "%s.%s: %s is no name; one without '=' that is not empty is wanted", section, key,
                   shown);
  }
  if (zinit_schema_set (build->definition, option, &value->value, &local))
    return TRUE;
  if (is_passed_over (build, option, &value->value, local)) {
    g_error_free (local);
    return TRUE;
  }
  g_propagate_error (error, local);
  set_path (build, section, key, value->bad_part);
  return FALSE;
}

static gboolean
is_given (const ZinitBuild *build, const char *section, const char *key)
{
  for (gsize i = 0; i < zinit_n_options; i++) {
    if (strcmp (zinit_options[i].section, section) == 0 &&
        (key == NULL || strcmp (zinit_options[i].key, key) == 0) && (build->given >> i & 1))
      return TRUE;
  }
  return FALSE;
}

static void
drop_health (ZinitDefinition *definition)
{
  definition->health_type = ZINIT_HEALTH_NONE;
  g_clear_pointer (&definition->health_address, g_free);
  g_clear_pointer (&definition->health_url, g_free);
  g_clear_pointer (&definition->health_command, g_free);
}

static gboolean
validate (ZinitBuild *build, GError **error)
{
  g_autofree char *types = NULL;

  if (!is_given (build, "health", NULL) || is_given (build, "health", "type"))
    return zinit_schema_validate (build->definition, error);
  types = g_strjoinv ("\", \"", (char **)zinit_health_words + ZINIT_HEALTH_TCP);
  return refuse (error, "health.type: is missing; with a [health] section, one of \"%s\" is wanted", types);
}

ZinitDefinition *
zinit_build_end (ZinitBuild *build, const char *default_name, GError **error)
{
  ZinitDefinition *definition = build->definition;
  GError *local = NULL;
  gboolean valid;

  if (!is_given (build, "service", "name") && default_name != NULL) {
    ZinitBuildValue name = { .value = { .kind = ZINIT_VALUE_STRING, .string = default_name } };

    if (!zinit_build_add (build, "service", "name", &name, error))
      return NULL;
  }
  /* Who asks for a long first delay alone does not mean to be told of the default maximum. */
  if (is_given (build, "lifecycle", "restart_delay_ms") &&
      !is_given (build, "lifecycle", "restart_delay_max_ms"))
    definition->restart_delay_max_ms = MAX (definition->restart_delay_max_ms, definition->restart_delay_ms);

  if (build->rule == ZINIT_KEYS_LAX && definition->restart_delay_max_ms < definition->restart_delay_ms) {
    g_warning ("lifecycle.restart_delay_max_ms: %" G_GUINT64_FORMAT
               " ms is below lifecycle.restart_delay_ms, which is used",
               definition->restart_delay_max_ms);
    definition->restart_delay_max_ms = definition->restart_delay_ms;
  }

  valid = validate (build, &local);
  /* Other versions know other health checks: a service that is restored must not be lost for one. */
  if (!valid && build->rule == ZINIT_KEYS_LAX && g_str_has_prefix (local->message, "health.")) {
    g_warning ("%s; the health check of %s is ignored", local->message, definition->name);
    g_clear_error (&local);
    drop_health (definition);
    valid = zinit_schema_validate (definition, &local);
  }
  if (!valid) {
    g_auto (GStrv) words = g_strsplit_set (local->message, ".:", 3); /* "section.key: …" */

    set_path (build, words[0], words[1], NULL);
    g_propagate_error (error, local);
    return NULL;
  }
  return g_steal_pointer (&build->definition);
}
