/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/guard.h"
#include "tests/support/test.h"

static enum err listen_on(const char *text) {
    struct sockaddr_storage at;
    socklen_t n;
    return guard_listen(text, &at, &n);
}

static void guard_listens_on_numeric_addresses(void **state) {
    (void)state;
    static const char *const good[] = {"127.0.0.1:8443", "127.0.0.1:0", "0.0.0.0:8443",
                                       "[::1]:8443",     "[::]:8443",   "192.168.1.4:1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_int_equal(listen_on(good[i]), OK);
}

static void guard_wants_a_numeric_address_and_a_port(void **state) {
    (void)state;
    static const char *const bad[] = {"",          "8443",        "127.0.0.1",       "localhost:8443",
                                      "[::1]",     "127.0.0.1:x", "127.0.0.1:99999", "[::1",
                                      "127.1:80x", ":8443"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(listen_on(bad[i]), ERR_USAGE);
}

static void guard_knows_addresses_and_the_names_of_this_server(void **state) {
    (void)state;
    static const char *const good[] = {"127.0.0.1",
                                       "127.0.0.1:8443",
                                       "localhost",
                                       "LocalHost:1",
                                       "[::1]",
                                       "[::1]:8443",
                                       "192.168.1.4",
                                       "[2001:db8::1]:8443",
                                       "centre.example:8443",
                                       "Relecture.Ville.example"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(guard_host(good[i], "centre.example, relecture.ville.example"));
    assert_false(guard_host("centre.example", NULL));
}

static void guard_refuses_a_rebound_name(void **state) {
    (void)state;
    static const char *const bad[] = {"evil.example",
                                      "evil.example:8443",
                                      "localhost.evil.example",
                                      "127.0.0.1.evil.example",
                                      "127.0.0.1@evil.example",
                                      "localhost:8443:80",
                                      "localhost:",
                                      "localhost:port",
                                      "localhost:123456",
                                      "",
                                      ":80",
                                      "[::1",
                                      "[::1]x",
                                      "[]",
                                      "[127.0.0.1]",
                                      "127.1",
                                      "0177.0.0.1",
                                      "2130706433",
                                      "example",
                                      "centre.example.evil",
                                      "centre"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(guard_host(bad[i], "centre.example"));
    assert_false(guard_host(NULL, "centre.example"));
}

static void guard_takes_requests_of_our_own_page_only(void **state) {
    (void)state;
    assert_true(guard_origin(NULL, "127.0.0.1:8443"));
    assert_true(guard_origin("https://127.0.0.1:8443", "127.0.0.1:8443"));
    assert_false(guard_origin("http://127.0.0.1:8443", "127.0.0.1:8443"));
    assert_true(guard_origin("https://localhost:8443", "localhost:8443"));
    assert_false(guard_origin("null", "127.0.0.1:8443"));
    assert_false(guard_origin("https://127.0.0.1:9000", "127.0.0.1:8443"));
    assert_false(guard_origin("https://evil.example", "127.0.0.1:8443"));
    assert_false(guard_origin("http://127.0.0.1:8443", NULL));
    assert_true(guard_fetch_site(NULL));
    assert_true(guard_fetch_site("same-origin"));
    assert_true(guard_fetch_site("none"));
    assert_false(guard_fetch_site("cross-site"));
    assert_false(guard_fetch_site("same-site"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_listens_on_numeric_addresses),
        cmocka_unit_test(guard_wants_a_numeric_address_and_a_port),
        cmocka_unit_test(guard_knows_addresses_and_the_names_of_this_server),
        cmocka_unit_test(guard_refuses_a_rebound_name),
        cmocka_unit_test(guard_takes_requests_of_our_own_page_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
