/* SPDX-License-Identifier: Apache-2.0 */
/* list_xmodel - what an xmodel holds, one line per operation:
 *   name type shape fix_point digest-of-its-constant
 * A constant's digest is over its real values, so that int8 data and their float form compare equal; a "fix"
 * over a constant shows that constant's digest. "-" stands for nothing. */
#include <xir/graph/graph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

using Str = std::string;

namespace {

/* FNV-1a over the values times 2^16, which every value of both forms is a multiple of. */
Str digest_of(const std::vector<char> &data, bool is_float, int fix_point) {
    uint64_t h = 1469598103934665603u;
    const size_t width = is_float ? sizeof(float) : 1;
    for (size_t i = 0; i + width <= data.size(); i += width) {
        float v;
        if (is_float)
            memcpy(&v, &data[i], sizeof v);
        else
            v = std::ldexp(static_cast<float>(static_cast<signed char>(data[i])), -fix_point);
        h = (h ^ static_cast<uint64_t>(std::llround(std::ldexp(v, 16)))) * 1099511628211u;
    }
    char text[17];
    snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
    return text;
}

Str constant_of(const xir::Op *op) {
    const Str type = op->get_type();
    if (type == "fix") return constant_of(op->get_input_op("input"));
    if (type != "const" && type != "const-fix") return "-";
    const auto *t = op->get_output_tensor();
    const int fix_point = t->has_attr("fix_point") ? t->get_attr<int>("fix_point") : 0;
    return digest_of(op->get_attr<std::vector<char>>("data"), type == "const", fix_point);
}

void list(const Str &path) {
    auto graph = xir::Graph::deserialize(path);
    for (const auto *op : static_cast<const xir::Graph *>(graph.get())->topological_sort()) {
        const auto *t = op->get_output_tensor();
        Str shape, fix_point = "-";
        for (int d : t->get_shape()) shape += (shape.empty() ? "" : "x") + std::to_string(d);
        if (op->has_attr("fix_point"))
            fix_point = std::to_string(op->get_attr<int>("fix_point"));
        else if (t->has_attr("fix_point"))
            fix_point = std::to_string(t->get_attr<int>("fix_point"));
        printf("%s %s %s %s %s\n", op->get_name().c_str(), op->get_type().c_str(), shape.c_str(),
               fix_point.c_str(), constant_of(op).c_str());
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: list_xmodel FILE.xmodel\n");
        return 2;
    }
    try {
        list(argv[1]);
    } catch (const std::exception &e) {
        fprintf(stderr, "list_xmodel: %s\n", e.what());
        return 1;
    }
    return 0;
}
