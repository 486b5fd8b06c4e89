/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/router.h"
#include "tests/support/test.h"

static const struct route routes[] = {
    {ROUTER_GET, "/a", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/s/{}", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/s/{}/clip", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/t/{}.jpg", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/q", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_POST, "/q", NULL, ROUTE_SIGNED_IN, false, false},
};
#define N (sizeof routes / sizeof *routes)

static enum router_result find(enum router_method m, const char *path, struct router_match *out) {
    return router_find(routes, N, m, path, out);
}

static void router_finds_literal_and_parameter(void **state) {
    (void)state;
    struct router_match m;
    assert_int_equal(find(ROUTER_GET, "/a", &m), ROUTER_FOUND);
    assert_ptr_equal(m.route, &routes[0]);
    assert_int_equal(find(ROUTER_GET, "/s/12", &m), ROUTER_FOUND);
    assert_ptr_equal(m.route, &routes[1]);
    assert_string_equal(m.parameter[0], "12");
    assert_int_equal(find(ROUTER_GET, "/s/12/clip", &m), ROUTER_FOUND);
    assert_ptr_equal(m.route, &routes[2]);
    assert_int_equal(find(ROUTER_GET, "/t/12.jpg", &m), ROUTER_FOUND);
    assert_string_equal(m.parameter[0], "12");
}

static void router_gives_head_the_route_of_get(void **state) {
    (void)state;
    struct router_match m;
    assert_int_equal(find(ROUTER_HEAD, "/a", &m), ROUTER_FOUND);
}

static void router_parameter_never_spans_elements_or_is_empty(void **state) {
    (void)state;
    struct router_match m;
    static const char *const paths[] = {"/s/", "/s/1/2", "/s/../a", "/t/.jpg", "/t/12.png",   "/t/12.jpg/",
                                        "/",   "",       "/aa",     "/s/1 2",  "/t/1.jpg.exe"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(find(ROUTER_GET, paths[i], &m), ROUTER_NO_PATH);
}

static void router_refuses_a_parameter_beyond_its_room(void **state) {
    (void)state;
    char path[100] = "/s/";
    struct router_match m;
    for (int i = 3; i < 99; i++) path[i] = '1';
    assert_int_equal(find(ROUTER_GET, path, &m), ROUTER_NO_PATH);
}

static void router_names_the_methods_a_path_knows(void **state) {
    (void)state;
    struct router_match m;
    assert_int_equal(find(ROUTER_POST, "/a", &m), ROUTER_NO_METHOD);
    assert_int_equal(m.allowed, ROUTER_GET);
    assert_int_equal(find(ROUTER_OTHER, "/q", &m), ROUTER_NO_METHOD);
    assert_int_equal(m.allowed, ROUTER_GET | ROUTER_POST);
    assert_int_equal(find(ROUTER_POST, "/q", &m), ROUTER_FOUND);
    assert_ptr_equal(m.route, &routes[5]);
}

static void router_number_is_decimal_and_fits(void **state) {
    (void)state;
    uint64_t v = 0;
    assert_true(router_u64("18446744073709551615", &v));
    assert_true(v == UINT64_MAX);
    assert_true(router_u64("0", &v));
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(router_u64(bad[i], &v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(router_finds_literal_and_parameter),
        cmocka_unit_test(router_gives_head_the_route_of_get),
        cmocka_unit_test(router_parameter_never_spans_elements_or_is_empty),
        cmocka_unit_test(router_refuses_a_parameter_beyond_its_room),
        cmocka_unit_test(router_names_the_methods_a_path_knows),
        cmocka_unit_test(router_number_is_decimal_and_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
