/* SPDX-License-Identifier: Apache-2.0
 *
 * Service names as object path elements, there and back.
 */
#define G_LOG_DOMAIN "zinit-test"

#include <string.h>

#include <glib.h>

#include "object-path.h"

static void
test_escape (void)
{
  static const struct {
    const char *name, *element;
  } cases[] = {
    { "web", "web" },
    { "Web2", "Web2" },
    { "2web", "_32web" },
    { "web@1", "web_401" },
    { "a-b.c_d", "a_2db_2ec_5fd" },
    { "", "_" },
    { "\xc3\xbc", "_c3_bc" },
    { "0", "_30" },
    { "\x01\x7f", "_01_7f" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *element = zinit_object_path_escape (cases[i].name);
    g_autofree char *name = zinit_object_path_unescape (element);

    g_assert_cmpstr (element, ==, cases[i].element);
    g_assert_cmpstr (name, ==, cases[i].name);
  }
}

static void
test_every_byte (void)
{
  for (int byte = 1; byte < 256; byte++) {
    char text[] = { (char)byte, (char)byte, '\0' };
    g_autofree char *path = zinit_object_path_for_service (text);
    g_autofree char *name = zinit_object_path_unescape (path + strlen ("/org/zinit/service/"));

    g_assert_true (g_variant_is_object_path (path));
    g_assert_cmpstr (name, ==, text);
  }
}

/* Each name has one path: nothing but what the escape writes is taken back. */
static void
test_refused (void)
{
  static const char *const elements[] = {
    "",
    "a_",
    "a_4",
    "a_4g",
    "a_4G",
    "a_4A" /* upper case */,
    "_61" /* needless: a */,
    "_00",
    "a-b",
    "2web",
    "a/b",
    "a b",
    "__",
    "\xc3\xbc",
    "web_40_",
    "_5F",
    "web_3",
  };

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    g_assert_null (zinit_object_path_unescape (elements[i]));
}

static void
test_for_service (void)
{
  g_autofree char *path = zinit_object_path_for_service ("web@1");
  g_autofree char *empty = zinit_object_path_for_service ("");

  g_assert_cmpstr (path, ==, "/org/zinit/service/web_401");
  g_assert_true (g_variant_is_object_path (empty));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/object-path/escape", test_escape);
  g_test_add_func ("/object-path/every-byte", test_every_byte);
  g_test_add_func ("/object-path/refused", test_refused);
  g_test_add_func ("/object-path/for-service", test_for_service);
  return g_test_run ();
}
