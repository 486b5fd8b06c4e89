/* SPDX-License-Identifier: Apache-2.0 */
/* /camera-groups: named sets of cameras, such as the surroundings of the station. */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/http/field.h"

static void work_free(void *arg) {
    struct camera_group *g = arg;
    if (g) camera_group_fini(g);
    free(g);
}

static json_t *group_json(const struct camera_group *g, const struct camera *cameras, unsigned n_cameras) {
    return json_pack("{s:I,s:s,s:o}", "id", (json_int_t)g->id, "name", g->name, "camera_ids",
                     api_camera_ids_json(g->cameras, g->n_cameras, cameras, n_cameras));
}

void api_camera_groups_get(struct exchange *x) {
    struct camera_group *list = NULL;
    struct camera *cameras = NULL;
    unsigned n = 0, n_cameras = 0;
    enum err e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e == OK) e = camera_group_list(x->ctx->reg, &list, &n);
    json_t *items = e == OK ? json_array() : NULL;
    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(items, group_json(&list[i], cameras, n_cameras));
        camera_group_fini(&list[i]);
    }
    free(list);
    free(cameras);
    if (e != OK)
        exchange_err(x, e);
    else
        exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

static void answer_group(struct exchange *x) {
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    if (camera_list(x->ctx->reg, &cameras, &n_cameras) == OK)
        x->answer = group_json(x->work, cameras, n_cameras);
    free(cameras);
}

static enum err put(struct register_db *r, struct exchange *x) {
    struct camera_group *g = x->work;
    if (g->id == 0) x->status = 201;
    const enum err e = camera_group_put(r, g);
    if (e == ERR_EXISTS) return act_refuse(x, 409, "exists", NULL, "There is a group of that name.");
    if (e == ERR_USAGE) return act_bad_field(x, "name", "not_text");
    (void)snprintf(x->object, sizeof x->object, "%" PRIu64, g->id);
    x->detail = json_deep_copy(x->asked);
    return e;
}

/* The group of the path, taken out of the list; NULL = the exchange has ended. */
static struct camera_group *find(struct exchange *x) {
    struct camera_group *list = NULL, *found = x->work;
    unsigned n = 0;
    uint64_t id;
    enum err e = found ? OK : ERR_NOMEM;
    if (e == OK && !router_u64(x->match.parameter[0], &id)) e = ERR_MISSING;
    if (e == OK) e = camera_group_list(x->ctx->reg, &list, &n);
    for (unsigned i = 0; i < n; i++) {
        if (list[i].id == id)
            *found = list[i];
        else
            camera_group_fini(&list[i]);
    }
    free(list);
    if (e == OK && found->id == 0) e = ERR_MISSING;
    if (e == OK) return found;
    exchange_err(x, e);
    return NULL;
}

static void save(struct exchange *x, bool existing) {
    static const char *const known[] = {"name", "camera_ids", NULL};
    uint16_t *cameras;
    unsigned n;
    if (!exchange_asked(x, known)) return;
    struct camera_group *g = x->work = calloc(1, sizeof *g);
    x->work_free = work_free;
    if (existing || !g) g = find(x);
    if (!g) return;
    const enum field_need need = existing ? FIELD_OPTIONAL : FIELD_NEEDED;
    if (!field_text(x, x->asked, "name", need, g->name, sizeof g->name) ||
        !field_cameras(x, x->asked, "camera_ids", need, &cameras, &n))
        return;
    if (n > 0) {
        camera_group_fini(g);
        g->cameras = cameras;
        g->n_cameras = n;
    }
    exchange_act(x, existing ? "group.change" : "group.add", put, answer_group);
}

void api_camera_groups_post(struct exchange *x) {
    save(x, false);
}

void api_camera_group_patch(struct exchange *x) {
    save(x, true);
}

static enum err take_out(struct register_db *r, struct exchange *x) {
    const struct camera_group *g = x->work;
    (void)snprintf(x->object, sizeof x->object, "%" PRIu64, g->id);
    x->detail = json_pack("{s:s}", "name", g->name);
    x->answer = json_object();
    return camera_group_remove(r, g->id);
}

void api_camera_group_delete(struct exchange *x) {
    x->work = calloc(1, sizeof(struct camera_group));
    x->work_free = work_free;
    if (find(x)) exchange_act(x, "group.remove", take_out, NULL);
}
