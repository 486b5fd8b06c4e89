/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the xclbin that XRT hands over: banks, compute units, register maps, and the kernels' code, which is
 * the shared object in the BITSTREAM section. Nothing in it is trusted. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

#include "sim/xrt/model.h"

#define XCLBIN_MAX ((uint64_t)256 << 20)
#define BANK_MAX   ((uint64_t)64 << 30)

/* The section's bytes when they lie inside the file. */
static const uint8_t *section(const struct axlf *top, enum axlf_section_kind kind, size_t least,
                              size_t *size) {
    for (uint32_t i = 0; i < top->m_header.m_numSections; i++) {
        const struct axlf_section_header *s = &top->m_sections[0] + i;
        if (s->m_sectionKind != (uint32_t)kind) continue;
        if (s->m_sectionOffset > top->m_header.m_length ||
            s->m_sectionSize > top->m_header.m_length - s->m_sectionOffset || s->m_sectionSize < least ||
            s->m_sectionOffset % 8 != 0)
            return NULL;
        *size = (size_t)s->m_sectionSize;
        return (const uint8_t *)top + s->m_sectionOffset;
    }
    return NULL;
}

static int bad(const char *what) {
    sim_note("refused the xclbin: %s", what);
    return -EINVAL;
}

static int read_banks(struct sim_card *c, const struct axlf *top) {
    size_t size;
    const uint8_t *p = section(top, MEM_TOPOLOGY, sizeof(int32_t), &size);
    int32_t n;
    if (!p) return bad("no memory topology");
    memcpy(&n, p, sizeof n);
    const size_t at = offsetof(struct mem_topology, m_mem_data);
    if (n < 1 || n > SIM_BANKS_MAX || at + (size_t)n * sizeof(struct mem_data) > size)
        return bad("memory topology");
    for (int32_t i = 0; i < n; i++) {
        struct mem_data d;
        memcpy(&d, p + at + (size_t)i * sizeof d, sizeof d);
        if (!d.m_used || d.m_size == 0 || d.m_size > BANK_MAX / 1024 ||
            d.m_base_address > UINT64_MAX - BANK_MAX)
            return bad("a memory bank has no sensible size");
        c->banks[i] = (struct sim_bank){.base = d.m_base_address, .size = d.m_size * 1024};
        void *m = mmap(NULL, c->banks[i].size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (m == MAP_FAILED) return -ENOMEM;
        c->banks[i].mem = m;
        c->n_banks++;
    }
    return 0;
}

/* Value of attribute `name` inside the element that starts at `p` and ends before `end`. */
static bool attribute(const char *p, const char *end, const char *name, char *out, size_t cap) {
    const size_t n = strlen(name);
    for (; p + n + 2 < end; p++) {
        if (p[-1] != ' ' || strncmp(p, name, n) != 0 || p[n] != '=' || p[n + 1] != '"') continue;
        const char *v = p + n + 2, *q = memchr(v, '"', (size_t)(end - v));
        if (!q || (size_t)(q - v) >= cap) return false;
        memcpy(out, v, (size_t)(q - v));
        out[q - v] = '\0';
        return true;
    }
    return false;
}

static bool number(const char *p, const char *end, const char *name, uint32_t *out) {
    char text[24], *e;
    if (!attribute(p, end, name, text, sizeof text) || text[0] == '\0' || text[0] == '-') return false;
    const unsigned long v = strtoul(text, &e, 0);
    if (*e != '\0' || v > UINT32_MAX) return false;
    *out = (uint32_t)v;
    return true;
}

/* Arguments of the compute unit's kernel, in order of their numbers. */
static int read_args(struct sim_cu *cu, const char *xml) {
    char want[80], name[64];
    snprintf(want, sizeof want, "%.*s", (int)strcspn(cu->name, ":"), cu->name);
    for (const char *k = strstr(xml, "<kernel "); k; k = strstr(k + 1, "<kernel ")) {
        const char *head_end = strchr(k, '>'), *end = strstr(k, "</kernel>");
        if (!head_end || !end) return bad("metadata");
        if (!attribute(k + 8, head_end, "name", name, sizeof name) || strcmp(name, want) != 0) continue;
        for (const char *a = strstr(k, "<arg "); a && a < end; a = strstr(a + 1, "<arg ")) {
            const char *a_end = strchr(a, '>');
            uint32_t id, qualifier, off, size;
            if (!a_end || !number(a + 5, a_end, "id", &id) ||
                !number(a + 5, a_end, "addressQualifier", &qualifier) ||
                !number(a + 5, a_end, "offset", &off) || !number(a + 5, a_end, "size", &size))
                return bad("metadata of an argument");
            if (id != cu->n_args || id >= SIM_ARGS_MAX || qualifier > 1 || size != (qualifier == 1 ? 8 : 4) ||
                off % 4 != 0 || off < 0x10 || off / 4 + size / 4 > SIM_REGS_MAX)
                return bad("an argument that the simulated card cannot pass");
            cu->args[cu->n_args++] = (struct sim_arg){qualifier == 1, off, size};
        }
        return cu->n_args > 0 ? 0 : bad("a kernel without arguments");
    }
    return bad("a compute unit whose kernel is not described");
}

static int read_cus(struct sim_card *c, const struct axlf *top) {
    size_t size, xml_size;
    const uint8_t *p = section(top, IP_LAYOUT, sizeof(int32_t), &size);
    const uint8_t *x = section(top, EMBEDDED_METADATA, 1, &xml_size);
    int32_t n;
    if (!p || !x) return bad("no compute units, or no metadata");
    memcpy(&n, p, sizeof n);
    const size_t at = offsetof(struct ip_layout, m_ip_data);
    if (n < 1 || n > SIM_CUS_MAX || at + (size_t)n * sizeof(struct ip_data) > size)
        return bad("compute units");
    char *xml = strndup((const char *)x, xml_size);
    if (!xml) return -ENOMEM;
    int rc = 0;
    uint64_t last = 0;
    for (int32_t i = 0; i < n && rc == 0; i++) {
        struct ip_data d;
        memcpy(&d, p + at + (size_t)i * sizeof d, sizeof d);
        if (d.m_type != IP_KERNEL || !memchr(d.m_name, '\0', sizeof d.m_name) ||
            !strchr((const char *)d.m_name, ':'))
            rc = bad("a compute unit that is no kernel");
        else if (d.m_base_address < last)
            rc = bad("compute units are not in order of their addresses");
        if (rc) break;
        last = d.m_base_address;
        struct sim_cu *cu = &c->cus[c->n_cus];
        *cu = (struct sim_cu){.card = c};
        snprintf(cu->name, sizeof cu->name, "%s", (const char *)d.m_name);
        rc = read_args(cu, xml);
        if (rc == 0) c->n_cus++;
    }
    free(xml);
    return rc;
}

static int load_code(struct sim_card *c, const struct axlf *top) {
    size_t size, done = 0;
    const uint8_t *so = section(top, BITSTREAM, 64, &size);
    if (!so || memcmp(so, "\177ELF", 4) != 0)
        return bad("it is not for the simulated card (its bitstream is no shared object)");
    const int fd = memfd_create("kernels", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    while (done < size) {
        const ssize_t n = write(fd, so + done, size - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (done == size) c->so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    close(fd);
    if (!c->so) {
        const char *why = dlerror();
        sim_note("cannot load the kernels' code: %s", why ? why : "short write");
        return -EINVAL;
    }
    for (unsigned i = 0; i < c->n_cus; i++) {
        char kernel[64];
        snprintf(kernel, sizeof kernel, "%.*s", (int)strcspn(c->cus[i].name, ":"), c->cus[i].name);
        void *fn = dlsym(c->so, kernel);
        if (!fn) return bad("a kernel has no code");
        memcpy(&c->cus[i].fn, &fn, sizeof fn);
    }
    return 0;
}

int sim_xclbin_load(struct sim_card *c, const struct axlf *top) {
    if (memcmp(top->m_magic, "xclbin2", 8) != 0) return bad("magic");
    if (top->m_header.m_length > XCLBIN_MAX || top->m_header.m_numSections == 0 ||
        top->m_header.m_numSections > 64 ||
        offsetof(struct axlf, m_sections) + top->m_header.m_numSections * sizeof(struct axlf_section_header) >
            top->m_header.m_length)
        return bad("header");
    int rc = read_banks(c, top);
    if (rc == 0) rc = read_cus(c, top);
    if (rc == 0) rc = load_code(c, top);
    if (rc == 0) {
        memcpy(c->uuid, top->m_header.uuid, sizeof c->uuid);
        c->loaded = true;
    } else {
        sim_xclbin_drop(c);
    }
    return rc;
}

void sim_xclbin_drop(struct sim_card *c) {
    for (unsigned i = 0; i < c->n_banks; i++) munmap(c->banks[i].mem, c->banks[i].size);
    if (c->so) dlclose(c->so);
    c->so = NULL;
    c->n_banks = c->n_cus = 0;
    c->loaded = false;
}
