/* SPDX-License-Identifier: Apache-2.0 */
/* cli_import_plan.h - `relecture import --plan`: looks at files and folders, shows what they are, and says
 * which of them can be imported as proposed. Internal to host/cli. */
#ifndef HOST_CLI_CLI_IMPORT_PLAN_H
#define HOST_CLI_CLI_IMPORT_PLAN_H

#include "host/cli/cli.h"
#include "host/import/batch.h"

struct cli_plan {
    const struct cli *cli;
    const struct case_file *c;
    const struct camera *cameras; /* all of the register */
    unsigned n_cameras;
    const struct camera *camera; /* --camera; NULL = to be found out */
    int64_t start_ms;            /* --start; -1 = to be found out */
    char **paths;
    unsigned n_paths;
};

/* Shows the plan (as JSON with `json`, not at all with `quiet`); *out is the looked-at batch, to be freed
 * before its base. An enum cli_exit: CLI_DONE, CLI_PARTLY (some files have a problem or nobody knows their
 * camera or time). */
int cli_import_look(const struct cli_plan *p, struct event_base *base, bool json, bool quiet,
                    struct batch **out);
/* Can this file be imported as proposed? */
bool cli_import_can(const struct case_file *c, const struct batch_file *f);

#endif
