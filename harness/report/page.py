def write_report(run, folder): return folder
