/* SPDX-License-Identifier: Apache-2.0 */
/* mkxclbin - writes the simulated card's xclbin: memory banks, compute units and register maps as v++ would
 * describe them, and as bitstream the shared object that holds the kernels' own code.
 *   mkxclbin OUT.xclbin KERNELS.so NAME=CUS...       e.g. letterbox=2 crop=2
 * Only the kernels described in `known` can be written; adding one means adding its arguments there. */
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xclbin.h>

#define N_BANKS  2
#define BANK_KB  (1u << 20) /* 1 GiB each */
#define CUS_MAX  16
#define ARGS_MAX 16
#define CU_BASE  0x01800000u
#define CU_RANGE 0x00010000u
#define XML_CAP  65536

enum kind { SCALAR = 0, GLOBAL = 1 }; /* the addressQualifier of the metadata */
struct arg {
    const char *name;
    enum kind kind;
    int bank; /* of a pointer */
};
struct kernel {
    const char *name;
    struct arg args[ARGS_MAX];
};
/* In the order of the kernels' prototypes. Surfaces lie in bank 0, everything small in bank 1. */
static const struct kernel known[] = {
    {"letterbox",
     {{"src", GLOBAL, 0},
      {"lut", GLOBAL, 1},
      {"out", GLOBAL, 1},
      {"status", GLOBAL, 1},
      {"w_px", SCALAR, 0},
      {"h_px", SCALAR, 0},
      {"stride_bytes", SCALAR, 0},
      {"uv_offset_bytes", SCALAR, 0},
      {"colour", SCALAR, 0},
      {"dst_w_px", SCALAR, 0},
      {"dst_h_px", SCALAR, 0}}},
    {"crop",
     {{"src", GLOBAL, 0},
      {"rois", GLOBAL, 1},
      {"out", GLOBAL, 1},
      {"status", GLOBAL, 1},
      {"w_px", SCALAR, 0},
      {"h_px", SCALAR, 0},
      {"stride_bytes", SCALAR, 0},
      {"uv_offset_bytes", SCALAR, 0},
      {"colour", SCALAR, 0},
      {"n_rois", SCALAR, 0},
      {"dst_w_px", SCALAR, 0},
      {"dst_h_px", SCALAR, 0},
      {"out_bytes", SCALAR, 0}}},
};

/* The vendor's structs end in one-element arrays; these have the room they need. */
static struct mem_data banks[N_BANKS];
static struct ip_data cus[CUS_MAX];
static struct connection links[CUS_MAX * ARGS_MAX];
static int32_t n_cus, n_links;
static char xml[XML_CAP];
static size_t xml_len;

static _Noreturn void fail(const char *what, const char *which) {
    fprintf(stderr, "mkxclbin: %s %s\n", what, which);
    exit(1);
}

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(xml + xml_len, XML_CAP - xml_len, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= XML_CAP - xml_len) fail("the metadata is too long", "");
    xml_len += (size_t)n;
}

/* Appends a kernel's compute units to the layout and its description to the metadata. */
static void add_kernel(const struct kernel *k, unsigned n) {
    add("<kernel name=\"%s\" language=\"c\" type=\"pl\">"
        "<port name=\"S_AXI_CONTROL\" mode=\"slave\" range=\"0x%x\" dataWidth=\"32\" "
        "portType=\"addressable\" "
        "base=\"0x0\"/>",
        k->name, CU_RANGE);
    /* HLS register map: the first argument at 0x10; a 64-bit one takes 12 bytes, a 32-bit one 8. */
    unsigned off = 0x10, n_args = 0;
    for (const struct arg *a = k->args; a->name; a++, n_args++) {
        const unsigned size = a->kind == GLOBAL ? 8 : 4;
        add("<arg name=\"%s\" addressQualifier=\"%d\" id=\"%u\" port=\"%s\" size=\"0x%x\" offset=\"0x%x\" "
            "hostOffset=\"0x0\" hostSize=\"0x%x\" type=\"%s\"/>",
            a->name, (int)a->kind, n_args, a->kind == GLOBAL ? "M_AXI_GMEM" : "S_AXI_CONTROL", size, off,
            size, a->kind == GLOBAL ? "char*" : "uint");
        off += a->kind == GLOBAL ? 12 : 8;
    }
    for (unsigned c = 0; c < n; c++, n_cus++) {
        if (n_cus >= CUS_MAX) fail("too many compute units:", k->name);
        struct ip_data *d = &cus[n_cus];
        d->m_type = IP_KERNEL;
        d->properties = (uint32_t)(AP_CTRL_HS << IP_CONTROL_SHIFT) |
                        (uint32_t)n_cus << IP_INTERRUPT_ID_SHIFT | IP_INT_ENABLE_MASK;
        d->m_base_address = CU_BASE + (uint64_t)n_cus * CU_RANGE;
        snprintf((char *)d->m_name, sizeof d->m_name, "%s:%s_%u", k->name, k->name, c + 1);
        add("<instance name=\"%s_%u\"><addrRemap base=\"0x%" PRIx64 "\" port=\"S_AXI_CONTROL\"/></instance>",
            k->name, c + 1, (uint64_t)d->m_base_address);
        for (unsigned a = 0; a < n_args; a++)
            if (k->args[a].kind == GLOBAL)
                links[n_links++] = (struct connection){(int32_t)a, n_cus, k->args[a].bank};
    }
    add("</kernel>");
}

static void *read_file(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) fail("cannot read", path);
    const long len = ftell(f);
    rewind(f);
    void *p = len > 0 ? malloc((size_t)len) : NULL;
    if (!p || fread(p, 1, (size_t)len, f) != (size_t)len) fail("cannot read", path);
    fclose(f);
    *n = (size_t)len;
    return p;
}

/* A section that starts with a count and goes on with its elements at `at`. */
static void *counted(int32_t count, size_t at, const void *elements, size_t n_bytes, size_t *size) {
    char *p = calloc(1, at + n_bytes);
    if (!p) fail("out of memory", "");
    memcpy(p, &count, sizeof count);
    memcpy(p + at, elements, n_bytes);
    *size = at + n_bytes;
    return p;
}

static uint64_t hash(const void *p, size_t n, uint64_t h) {
    for (size_t i = 0; i < n; i++) h = (h ^ ((const unsigned char *)p)[i]) * 1099511628211u;
    return h;
}

static void describe(int n_kernels, char **kernels) {
    for (int i = 0; i < N_BANKS; i++) {
        banks[i].m_type = MEM_HBM;
        banks[i].m_used = 1;
        banks[i].m_size = BANK_KB;
        banks[i].m_base_address = (uint64_t)i * BANK_KB * 1024u;
        snprintf((char *)banks[i].m_tag, sizeof banks[i].m_tag, "HBM[%u]", (unsigned)i & 0xffu);
    }
    add("<project name=\"relecture\"><platform vendor=\"xilinx\" boardid=\"sim\" name=\"sim\">"
        "<device name=\"fpga0\"><core name=\"OCL_REGION_0\" target=\"bitstream\" type=\"clc_region\">");
    for (int i = 0; i < n_kernels; i++) {
        const char *eq = strchr(kernels[i], '=');
        const size_t len = eq ? (size_t)(eq - kernels[i]) : 0;
        const struct kernel *k = NULL;
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
            if (strlen(known[j].name) == len && strncmp(known[j].name, kernels[i], len) == 0) k = &known[j];
        const unsigned long n = eq ? strtoul(eq + 1, NULL, 10) : 0;
        if (!k || n == 0 || n > CUS_MAX) fail("not NAME=CUS of a known kernel:", kernels[i]);
        add_kernel(k, (unsigned)n);
    }
    add("</core></device></platform></project>");
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fputs("usage: mkxclbin OUT.xclbin KERNELS.so NAME=CUS...\n", stderr);
        return 2;
    }
    describe(argc - 3, argv + 3);

    struct part {
        uint32_t kind;
        const char *name;
        void *data;
        size_t size;
    } part[] = {
        {BITSTREAM, "bitstream", NULL, 0},
        {MEM_TOPOLOGY, "mem_topology", NULL, 0},
        {IP_LAYOUT, "ip_layout", NULL, 0},
        {CONNECTIVITY, "connectivity", NULL, 0},
        {EMBEDDED_METADATA, "metadata", xml, xml_len},
    };
    enum { N_PARTS = sizeof part / sizeof part[0] };
    part[0].data = read_file(argv[2], &part[0].size);
    part[1].data =
        counted(N_BANKS, offsetof(struct mem_topology, m_mem_data), banks, sizeof banks, &part[1].size);
    part[2].data = counted(n_cus, offsetof(struct ip_layout, m_ip_data), cus, (size_t)n_cus * sizeof cus[0],
                           &part[2].size);
    part[3].data = counted(n_links, offsetof(struct connectivity, m_connection), links,
                           (size_t)n_links * sizeof links[0], &part[3].size);

    uint64_t off[N_PARTS],
        end = offsetof(struct axlf, m_sections) + N_PARTS * sizeof(struct axlf_section_header);
    uint64_t id[2] = {14695981039346656037u, 7809847782465536322u}; /* the uuid follows from the content */
    for (int i = 0; i < N_PARTS; i++) {
        off[i] = end = (end + 7) & ~(uint64_t)7;
        end += part[i].size;
        id[0] = hash(part[i].data, part[i].size, id[0]);
        id[1] = hash(part[i].data, part[i].size, id[1]);
    }
    struct axlf *a = calloc(1, end);
    if (!a) fail("out of memory", "");
    memcpy(a->m_magic, "xclbin2", 8);
    a->m_signature_length = -1;
    memset(a->reserved, 0xff, sizeof a->reserved);
    a->m_uniqueId = id[0];
    a->m_header.m_length = end;
    a->m_header.m_versionMajor = 2;
    a->m_header.m_mode = XCLBIN_PR;
    a->m_header.m_numSections = N_PARTS;
    snprintf((char *)a->m_header.m_platformVBNV, sizeof a->m_header.m_platformVBNV,
             "relecture_simulated_card");
    memcpy(a->m_header.uuid, id, sizeof a->m_header.uuid);
    for (int i = 0; i < N_PARTS; i++) {
        struct axlf_section_header *s = &a->m_sections[0] + i;
        s->m_sectionKind = part[i].kind;
        snprintf(s->m_sectionName, sizeof s->m_sectionName, "%s", part[i].name);
        s->m_sectionOffset = off[i];
        s->m_sectionSize = part[i].size;
        memcpy((char *)a + off[i], part[i].data, part[i].size);
    }
    FILE *f = fopen(argv[1], "wb");
    if (!f || fwrite(a, 1, end, f) != end || fclose(f) != 0) fail("cannot write", argv[1]);
    free(a);
    for (int i = 0; i < 4; i++) free(part[i].data);
    return 0;
}
