#include "format_arguments.hpp"

#include "journal_file.hpp"
#include "tool_error.hpp"
#include "values.hpp"

namespace dunlin_tool {

void FormatArguments::add_to(CLI::App& command) {
    command.add_option("--id", id, "This node's id, unique in the cluster")->required()->check(CLI::Range(1, 65535));
    command.add_option("--cluster", cluster, "Name of the cluster")->capture_default_str();
    command.add_option("--journal", journal, "Journal file to make; an existing one is never touched")->required();
    command.add_option("--address", address, "Where the others reach this node, host:port")->required();
}

void FormatArguments::check() const {
    if (cluster.empty() || cluster.size() > dunlin::kClusterNameBytesMax) throw ToolError(kUsage, "--cluster must be 1..32 bytes long.");
    if (!is_address(address, false)) throw ToolError(kUsage, "--address '" + address + "' is no address such as 10.0.0.1:7001.");
}

dunlin::FormatPlan FormatArguments::plan() const { return fresh_plan(id, cluster); }

VoterEntry FormatArguments::entry(const dunlin::FormatPlan& plan) const { return {plan.node, plan.storage, address}; }

}  // namespace dunlin_tool
