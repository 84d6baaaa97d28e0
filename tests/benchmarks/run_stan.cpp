// Runs one chain of Stan's NUTS on the model that stanc wrote before this text, or prints its log density at points.
//   run_stan sample DATA.json OUTPUT.csv SEED CHAIN TUNE DRAWS TARGET
//   run_stan density DATA.json < POINTS
#include <stan/io/empty_var_context.hpp>
#include <stan/io/json/json_data.hpp>
#include <stan/callbacks/stream_logger.hpp>
#include <stan/callbacks/stream_writer.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <string>

int main(int argc, char* argv[]) {
  if (argc < 3) return 2;
  std::ifstream file(argv[2]);
  stan::json::json_data data(file);
  stan::model::model_base& model = new_model(data, 0, &std::cerr);
  if (std::string(argv[1]) == "density") {
    Eigen::VectorXd point(model.num_params_r());
    std::cout << std::setprecision(17);
    while (true) {
      for (int i = 0; i < point.size(); ++i)
        if (!(std::cin >> point[i])) return 0;
      std::cout << model.log_prob_jacobian(point, &std::cerr) << "\n";
    }
  }
  if (argc < 9) return 2;
  std::ofstream output(argv[3]);
  output << std::setprecision(17);
  stan::callbacks::interrupt interrupt;
  stan::callbacks::writer nowhere;
  stan::callbacks::stream_writer draws(output, "# ");
  stan::callbacks::stream_logger logger(std::cerr, std::cerr, std::cerr, std::cerr, std::cerr);
  stan::io::empty_var_context none;
  return stan::services::sample::hmc_nuts_diag_e_adapt(
      model, none, std::stoi(argv[4]), std::stoi(argv[5]), 1.0, std::stoi(argv[6]), std::stoi(argv[7]), 1, false, 0,
      1.0, 0.0, 10, std::stod(argv[8]), 0.05, 0.75, 10.0, 75, 50, 25, interrupt, logger, nowhere, draws, nowhere);
}
