/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/case/user.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define NOW_MS 1795000000000
#define GOOD   "Correct-Horse-7"

struct ctx {
    char dir[64];
    struct register_db *r;
};

static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(NOW_MS);
    *state = c;
    return register_open(c->dir, true, &c->r) == OK ? 0 : -1;
}

static int teardown(void **state) {
    struct ctx *c = *state;
    register_close(&c->r);
    clock_fake(0);
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

static void add_operator(struct ctx *c) {
    const struct user u = {.login = "op14",
                           .name = "A. Martin",
                           .habilitation = "arrete 2026-12",
                           .role = ROLE_OPERATOR,
                           .valid_from_ms = NOW_MS - 1000,
                           .valid_to_ms = NOW_MS + 1000000};
    assert_int_equal(user_add(c->r, &u, GOOD), OK);
}

static enum err login(struct ctx *c, const char *password, const char *otp) {
    struct user u;
    return user_login(c->r, "op14", password, otp, &u);
}

static void right_password_logs_in_and_a_wrong_one_does_not(void **state) {
    struct ctx *c = *state;
    struct user u;
    add_operator(c);
    assert_int_equal(user_login(c->r, "op14", GOOD, NULL, &u), OK);
    assert_int_equal(u.role, ROLE_OPERATOR);
    assert_string_equal(u.name, "A. Martin");
    assert_int_equal(login(c, "Wrong-Horse-77", NULL), ERR_DENIED);
    assert_int_equal(user_login(c->r, "nobody", GOOD, NULL, &u), ERR_DENIED);
}

static void five_failures_lock_the_account_for_a_quarter_of_an_hour(void **state) {
    struct ctx *c = *state;
    add_operator(c);
    for (int i = 0; i < 4; i++) assert_int_equal(login(c, "Wrong-Horse-77", NULL), ERR_DENIED);
    assert_int_equal(login(c, "Wrong-Horse-77", NULL), ERR_BUSY);
    assert_int_equal(login(c, GOOD, NULL), ERR_BUSY);
    clock_fake(NOW_MS + USER_LOCKOUT_MS - 1);
    assert_int_equal(login(c, GOOD, NULL), ERR_BUSY);
    clock_fake(NOW_MS + USER_LOCKOUT_MS);
    assert_int_equal(login(c, GOOD, NULL), OK);
}

static void an_expired_or_not_yet_valid_habilitation_is_locked(void **state) {
    struct ctx *c = *state;
    add_operator(c);
    clock_fake(NOW_MS + 1000000);
    assert_int_equal(login(c, GOOD, NULL), ERR_DENIED);
    clock_fake(NOW_MS - 1001);
    assert_int_equal(login(c, GOOD, NULL), ERR_DENIED);
    clock_fake(NOW_MS - 1000);
    assert_int_equal(login(c, GOOD, NULL), OK);
}

static void a_disabled_account_is_locked_until_it_is_enabled_again(void **state) {
    struct ctx *c = *state;
    add_operator(c);
    assert_int_equal(user_disable(c->r, "op14", true), OK);
    assert_int_equal(login(c, GOOD, NULL), ERR_DENIED);
    assert_int_equal(user_disable(c->r, "op14", false), OK);
    assert_int_equal(login(c, GOOD, NULL), OK);
    assert_int_equal(user_disable(c->r, "nobody", true), ERR_MISSING);
}

/* RFC 6238 appendix B, SHA-1, the last six digits of its eight. */
static void totp_codes_are_those_of_the_rfc(void **state) {
    (void)state;
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    static const struct {
        uint64_t unix_s;
        unsigned code;
    } v[] = {
        {59, 287082}, {1111111109, 81804}, {1111111111, 50471}, {1234567890, 5924}, {2000000000, 279037}};
    for (unsigned i = 0; i < sizeof v / sizeof v[0]; i++)
        assert_int_equal(user_totp_code(secret, 20, v[i].unix_s / 30), v[i].code);
}

static void a_second_factor_is_asked_for_and_works_once(void **state) {
    struct ctx *c = *state;
    uint8_t secret[USER_TOTP_SECRET_BYTES];
    char code[16];
    add_operator(c);
    assert_int_equal(user_totp_set(c->r, "op14", secret), OK);
    assert_int_equal(login(c, GOOD, NULL), ERR_DENIED);
    snprintf(code, sizeof code, "%06u", user_totp_code(secret, sizeof secret, NOW_MS / 30000));
    assert_int_equal(login(c, GOOD, code), OK);
    assert_int_equal(login(c, GOOD, code), ERR_DENIED);
    clock_fake(NOW_MS + 30000);
    snprintf(code, sizeof code, "%06u", user_totp_code(secret, sizeof secret, NOW_MS / 30000 + 1));
    assert_int_equal(login(c, GOOD, code), OK);
    assert_int_equal(user_totp_set(c->r, "op14", NULL), OK);
    assert_int_equal(login(c, GOOD, NULL), OK);
}

static void weak_passwords_are_refused(void **state) {
    (void)state;
    static const char *const weak[] = {"", "Short-1", "alllowercaseletters", "has-op14-In-It9",
                                       "Tab\there-Tab-9"};
    for (unsigned i = 0; i < sizeof weak / sizeof weak[0]; i++)
        assert_int_equal(user_password_check("op14", weak[i]), ERR_USAGE);
    assert_int_equal(user_password_check("op14", GOOD), OK);
}

static void the_password_is_not_in_the_database(void **state) {
    struct ctx *c = *state;
    char path[128], *data;
    size_t n;
    add_operator(c);
    register_close(&c->r);
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    assert_int_equal(fs_read(path, 1 << 24, &data, &n), OK);
    assert_null(memmem(data, n, GOOD, strlen(GOOD)));
    assert_non_null(memmem(data, n, "$argon2id$", 10));
    free(data);
}

/* The matrix of users-and-law section 1, cell by cell: one line a role, one letter an action. */
static void the_rights_matrix_is_the_one_agreed(void **state) {
    (void)state;
    static const char *const rows[ROLE_COUNT] = {
        /* search view decide prepare approve receive case_read case_open import camera journal figures user
           system */
        [ROLE_NONE] = "--------------",    [ROLE_OPERATOR] = "yyyy--y-y-----",
        [ROLE_OFFICER] = "-yy--yy-------", [ROLE_CHIEF] = "yyyyy-yyy-yy--",
        [ROLE_AUDITOR] = "----------yy--", [ROLE_ADMINISTRATOR] = "---------y-yyy"};
    for (int r = 0; r < ROLE_COUNT; r++)
        for (int a = 0; a < ACTION_COUNT; a++)
            if (rights_allow((enum role)r, (enum action)a) != (rows[r][a] == 'y'))
                fail_msg("%s may%s %s", role_name((enum role)r), rows[r][a] == 'y' ? "" : " not",
                         action_name((enum action)a));
    assert_false(rights_allow(ROLE_COUNT, ACTION_SEARCH));
    assert_false(rights_allow(ROLE_CHIEF, ACTION_COUNT));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(right_password_logs_in_and_a_wrong_one_does_not),
        T(five_failures_lock_the_account_for_a_quarter_of_an_hour),
        T(an_expired_or_not_yet_valid_habilitation_is_locked),
        T(a_disabled_account_is_locked_until_it_is_enabled_again),
        T(totp_codes_are_those_of_the_rfc),
        T(a_second_factor_is_asked_for_and_works_once),
        T(weak_passwords_are_refused),
        T(the_password_is_not_in_the_database),
        T(the_rights_matrix_is_the_one_agreed),
    };
    return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
