// Model 5 in Stan, with the parametrisation of forecast/model/tolerance.py and its parameters in the same order.
data {
  int<lower=1> n_months, n_knots, n_administrations;
  array[n_months] int<lower=0, upper=5> level;
  array[n_months] int<lower=0> in_office;
  vector[n_months] rose, fell, just_risen, pressure, log2_deaths, change, opposition, mobilised;
  matrix[n_months, n_knots] knot_weights;
  matrix[5, 2] prior_rise, prior_stay;
  vector[2] prior_leverage, prior_leverage_on_falls, prior_just_risen;
  vector[2] prior_overdose_level, prior_overdose_change, prior_opposition;
  real prior_mobilisation_sd, prior_administration_sd, prior_drift_sd;
  vector[3] prior_half_life;
  int<lower=0, upper=1> prior_symmetric;
}
transformed data {
  array[n_months] int from, office;
  for (t in 1:n_months) {
    from[t] = level[t] + 1;
    office[t] = in_office[t] + 1;
  }
}
parameters {
  vector[5] logit_rise_z, log_stay_z;
  real leverage_effect_z, leverage_effect_on_falls_free_z, just_risen_effect_z;
  real overdose_level_effect_z, overdose_change_effect_z, opposition_effect_z;
  real<lower=0> opposition_mobilisation_z, administration_sd_z;
  vector[n_administrations] administration_z;
  real<lower=0> drift_sd_z;
  real drift_half_life_z;
  vector[n_knots] drift_z;
}
model {
  vector[6] a, b;
  a[1:5] = -log1p_exp(prior_rise[, 1] + prior_rise[, 2] .* logit_rise_z) / 12;
  a[1:5] = log1m_exp(a[1:5]) - a[1:5];
  a[6] = -1e9;
  b[2:6] = log2() * exp(-prior_stay[, 1] - prior_stay[, 2] .* log_stay_z);
  b[2:6] = b[2:6] + log1m_exp(-b[2:6]);
  b[1] = -1e9;

  real on_rises = prior_leverage[1] + prior_leverage[2] * leverage_effect_z;
  real free_on_falls = prior_leverage_on_falls[1] + prior_leverage_on_falls[2] * leverage_effect_on_falls_free_z;
  real on_falls = prior_symmetric ? -on_rises : free_on_falls;
  real mobilisation = prior_mobilisation_sd * opposition_mobilisation_z;

  real rho = exp(-12 * log2() / (prior_half_life[3] + exp(prior_half_life[1] + prior_half_life[2] * drift_half_life_z)));
  vector[n_knots] drift = drift_z;
  for (k in 2:n_knots) drift[k] = rho * drift[k - 1] + sqrt(1 - square(rho)) * drift_z[k];

  vector[n_months] theta = prior_administration_sd * administration_sd_z * administration_z[office]
    + (prior_overdose_level[1] + prior_overdose_level[2] * overdose_level_effect_z) * log2_deaths
    + (prior_overdose_change[1] + prior_overdose_change[2] * overdose_change_effect_z) * change
    - (prior_opposition[1] + prior_opposition[2] * opposition_effect_z) * (opposition + mobilisation * mobilised)
    + prior_drift_sd * drift_sd_z * (knot_weights * drift);
  vector[n_months] up = a[from] + theta + on_rises * pressure;
  vector[n_months] down = b[from] - theta + on_falls * pressure
    + (prior_just_risen[1] + prior_just_risen[2] * just_risen_effect_z) * just_risen;
  target += dot_product(rose, up) + dot_product(fell, down) - sum(log1p_exp(log_sum_exp(up, down)));

  logit_rise_z ~ std_normal();
  log_stay_z ~ std_normal();
  leverage_effect_z ~ std_normal();
  leverage_effect_on_falls_free_z ~ std_normal();
  just_risen_effect_z ~ std_normal();
  overdose_level_effect_z ~ std_normal();
  overdose_change_effect_z ~ std_normal();
  opposition_effect_z ~ std_normal();
  opposition_mobilisation_z ~ std_normal();
  administration_sd_z ~ std_normal();
  administration_z ~ std_normal();
  drift_sd_z ~ std_normal();
  drift_half_life_z ~ std_normal();
  drift_z ~ std_normal();
}
